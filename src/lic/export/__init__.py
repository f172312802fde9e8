"""Codecs in the formats of others: what serves them, or runs their networks, without `lic`."""
