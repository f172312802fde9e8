"""Compression models: parts assembled by name, and the models that come with `lic`."""
