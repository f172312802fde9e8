"""Deterministic codecs as folders that are decoded without TensorFlow and without `lic`."""

from lic.interop.portable.export import export_portable

__all__ = ["export_portable"]
