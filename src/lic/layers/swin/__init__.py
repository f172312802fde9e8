"""Swin transformer layers: tokens, patches, windows and the block with attention inside windows."""
