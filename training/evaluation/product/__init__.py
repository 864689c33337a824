"""A bundle as the product runs it, measured on rendered people and on photos with labelled points."""
