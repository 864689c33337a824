"""The NoW benchmark: its protocol, its folders, and `likeness evaluate now`."""
