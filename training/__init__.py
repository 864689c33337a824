"""Training: template, populations, rendering, recipes, evaluation and export."""
