"""Distributions of the numbers of a latent."""
