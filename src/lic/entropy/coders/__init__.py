"""Coders that a walk is given: they estimate, encode, decode, preview or optimise."""
