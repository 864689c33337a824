"""The recipe's tables and pictures."""
