"""The study of radius refinement: gains, costs and what it does to dynamics."""
