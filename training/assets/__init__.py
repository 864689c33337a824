"""Folders of assets that the user names, read in their publishers' layouts."""
