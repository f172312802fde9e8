"""Multiply-accumulates of any function of tensors, counted on its graph without computing it."""

from lic.complexity.complexity import Complexity, PartComplexity, PartScopes, count, count_graph

__all__ = ["Complexity", "PartComplexity", "PartScopes", "count", "count_graph"]
