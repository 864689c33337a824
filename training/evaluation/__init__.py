"""Evaluation: what a bundle recovers, measured against the truth and against returning the mean head."""
