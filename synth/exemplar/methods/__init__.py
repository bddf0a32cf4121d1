"""Ways to find a product's pixels: one a file, and the choice of one by name."""
