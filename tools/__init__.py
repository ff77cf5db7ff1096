"""Programs that build or patch files of the project; they are not part of the package."""
