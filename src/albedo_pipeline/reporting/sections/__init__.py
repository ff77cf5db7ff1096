"""What each section of the report says."""
