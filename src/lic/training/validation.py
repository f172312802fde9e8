"""Validation: bits per pixel and PSNR of real streams of held-out photographs, beside the model's estimates."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from lic.codec.codec import Codec
from lic.environment import keras, tf
from lic.errors import ImageError
from lic.models.base import CompressionModel
from lic.models.distortion import mean_squared_error, psnr_of
from lic.training.checkpoints import averaged
from lic.training.data import read_photograph
from lic.training.reports import MetricsLog


class Validated(NamedTuple):
    """Means over photographs at one quality.

    Attributes:
      quality: The quality, or None for a model with a single rate.
      estimated_bpp: Bits per pixel that the model estimates.
      coded_bpp: Bits per pixel of the whole streams.
      psnr: Peak signal-to-noise ratio over RGB, in dB, of the decoded images.
      loss: `coded_bpp` plus lmbda times the distortion of the decoded images.
    """

    quality: float | None
    estimated_bpp: float
    coded_bpp: float
    psnr: float
    loss: float


def validate(
    codec: Codec, images: Sequence[np.ndarray], quality: float | None = None, model: CompressionModel | None = None
) -> Validated:
    """Compresses and decompresses images, and returns means over them.

    Args:
      codec: The codec.
      images: Images, uint8 [height, width, 3].
      quality: The quality; default: the middle one.
      model: The model whose `distortion_of` counts in the loss; default: that of the codec, which knows none of a
        subclass.
    """
    rows = [_measure(codec, image, quality, model or codec.model) for image in images]
    return Validated(quality, *map(float, np.mean(rows, 0)))


class Validation(keras.callbacks.Callback):
    """Measures held-out photographs at the end of each epoch, with the averaged weights if there are any.

    Args:
      files: The photographs.
      log: The log that the results are added to.

    Attributes:
      results: The means of the last epoch, one for each quality that was measured.

    Raises:
      ImageError: A photograph cannot be read.
    """

    def __init__(self, files: Sequence[pathlib.Path], log: MetricsLog):
        super().__init__()
        self._images, self._log = [_read(file) for file in files], log
        self.results: list[Validated] = []

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        """Makes a codec of the current weights and measures it at the first, middle and last quality.

        The logs, which later callbacks see, get `val_bpp`, `val_psnr` and `val_loss` of the middle quality.
        """
        with averaged(self.model):
            codec = Codec(self.model)
        known = codec.qualities
        qualities = sorted({known[0], codec.model.rate.default, known[-1]}) if known else [None]
        self.results = [validate(codec, self._images, quality, self.model) for quality in qualities]
        for result in self.results:
            self._log.add(validation={name: _rounded(value) for name, value in result._asdict().items()})
        middle = self.results[len(self.results) // 2]
        if logs is not None:
            logs |= {"val_bpp": middle.coded_bpp, "val_psnr": middle.psnr, "val_loss": middle.loss}


def _read(file: pathlib.Path) -> np.ndarray:
    try:
        return read_photograph(file)
    except ImageError as error:
        raise ImageError(error.without_advice()) from None


def _measure(
    codec: Codec, image: np.ndarray, quality: float | None, model: CompressionModel
) -> tuple[float, float, float, float]:
    pixels = image.shape[0] * image.shape[1]
    stream = codec.compress(image, quality=quality)
    estimated = sum(codec.estimate(image, quality=quality).values())
    original, decoded = (tf.constant(each[None], tf.float32) for each in (image, codec.decompress(stream)))
    psnr = float(psnr_of(mean_squared_error(original, decoded))[0])
    bpp, rate = 8 * len(stream) / pixels, codec.model.rate
    lmbda = float(rate.lmbda(tf.constant([rate.default if quality is None else float(quality)]))[0])
    loss = bpp + lmbda * float(model.distortion_of(original, decoded)[0])
    return estimated / pixels, bpp, psnr, loss


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 5)
