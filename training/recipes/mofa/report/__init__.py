"""The recipe's tables and pictures: what paper 5 shows, on data that anybody can make."""
