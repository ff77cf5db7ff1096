"""Raw layouts => references to raw pairs, one file for each layout."""
