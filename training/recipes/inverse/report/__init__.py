"""The recipe's tables and pictures: what paper 4 shows, on data that anybody can make."""
