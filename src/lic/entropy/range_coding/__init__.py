"""Integer tables of cumulative counts, and the range coder that uses them."""
