"""Codecs: from photographs to streams and back."""
