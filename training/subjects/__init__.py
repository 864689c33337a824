"""Subjects: all that is random about one rendered photo, and the parts made from it."""
