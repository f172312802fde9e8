"""Measuring codecs, learned and classical, and comparing what was measured."""
