"""`likeness evaluate joint --report`: the paper's tables and figures, its rivals, and what it left open."""
