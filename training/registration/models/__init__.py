"""Readers of published face models, each in its publisher's layout."""
