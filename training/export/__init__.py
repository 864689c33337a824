"""Export: from a trained recipe to the bundle that the product runs."""
