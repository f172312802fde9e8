"""Training: photographs in, a codec out."""
