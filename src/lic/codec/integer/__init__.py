"""Deterministic coding: the parameter networks in whole numbers, the same on every machine."""
