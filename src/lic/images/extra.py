"""Libraries of the extra `keras-lic[formats]`."""

from __future__ import annotations

import importlib
from typing import Any

from lic.errors import ImageError
from lic.images.picture import Request


def needed(library: str, kind: str, request: Request) -> Any:
    """Imports a library that a file needs.

    Args:
      library: Name of the module.
      kind: The kind of file, in words.
      request: The request that needs it.

    Raises:
      ImageError: The library is not installed.
    """
    try:
        return importlib.import_module(library)
    except ImportError:
        raise ImageError(
            f"{request.name} is {kind}, for which {library} is needed. Install it: pip install 'keras-lic[formats]'."
        ) from None
