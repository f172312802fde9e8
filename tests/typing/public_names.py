"""Lines that mypy checks in `make lint`; no test runs them.

mypy warns about an `ignore` that it does not need, so each line with one is an error that a user must see.
"""

import numpy as np

import lic
import lic.codec
import lic.models

image = np.zeros((8, 8, 3), np.uint8)
model = lic.create_model("default")

codec: lic.Codec = lic.load("default")
stream: bytes = codec.compress(image)
compressed: lic.models.Compressed = model(image[None])
text: str = model(image[None])  # type: ignore[assignment]
bits: dict = compressed.bits
likely = compressed.bit  # type: ignore[attr-defined]
misspelt = lic.Transfrom  # type: ignore[attr-defined]
misspelt_too = lic.models.Compresed  # type: ignore[attr-defined]
misspelt_as_well = lic.codec.Steam  # type: ignore[attr-defined]
checked = lic.testing.check_transfrom  # type: ignore[attr-defined]
lic.create_model("default", transform=3)  # type: ignore[arg-type]
