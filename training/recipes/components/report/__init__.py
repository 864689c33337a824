"""The report on the recipe `components`: every table of paper 2 on data that anybody can make, in one command."""
