"""Recipes: one full training configuration each, after the paper that it names."""
