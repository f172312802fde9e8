"""Advice of errors: arguments are named in a message only if the image is read with them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import numpy as np

from lic.errors import ImageError
from lic.images.picture import Request

_TRIED: dict[str, Any] = {"to_8_bit": True, "background": "white", "frame": 0}


def read_or_advise(read: Callable[[Request], np.ndarray], request: Request) -> np.ndarray:
    """Returns what a function reads. If arguments are missing, it is read with them before they are named.

    Readers may so ask for an argument as soon as they see that it is needed, whatever the rest of the file holds.

    Args:
      read: Reads the image, from its beginning at each call.
      request: The request.

    Raises:
      ImageError: All arguments that are missing, if the image is read with them; else the reason why it is not read.
    """
    reasons: list[str] = []
    advice: dict[str, str] = {}
    tried = request
    while True:
        try:
            pixels = read(tried)
        except ImageError as error:
            missing = {name: _TRIED[name] for name in error.advice}
            if not missing or missing.keys() & advice.keys():
                raise
            reasons.append(error.reason)
            advice |= error.advice
            name = f"Frame 0 of {tried.name}" if "frame" in missing else tried.name
            tried = dataclasses.replace(tried, **missing, name=name, is_trial=True)
            continue
        if advice:
            raise ImageError(" ".join(reasons), advice)
        return pixels
