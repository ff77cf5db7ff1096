"""What builds or patches things outside the package."""
