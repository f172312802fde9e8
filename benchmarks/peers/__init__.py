"""Measurements of other libraries and of `lic`, each library in an environment of its own."""
