"""What recipes are measured against, on the same faces."""
