"""Raw layouts => references to raw pairs: one file a layout."""
