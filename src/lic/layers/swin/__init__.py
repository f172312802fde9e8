"""Swin transformer layers: tokens, patches, windows, blocks with attention inside windows, and stages of blocks."""
