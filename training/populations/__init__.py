"""Populations: sources of training identities on the template."""
