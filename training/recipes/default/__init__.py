"""The product's own recipe: one trunk, many heads, on the basis that the recipe `joint` learned."""
