"""The coder that encodes: it collects the symbols of all parts, and codes them at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from lic.entropy.coders.base import Latent, LatentCoder, rounded
from lic.entropy.distributions.base import Distribution
from lic.entropy.range_coding.cdf_tables import Cdfs, CdfTables
from lic.entropy.range_coding.pieces import Pieces
from lic.entropy.range_coding.range_coder import RangeEncoder
from lic.environment import tf

if TYPE_CHECKING:
    from lic.transforms.base import HyperTransform


class Encoded(NamedTuple):
    """A latent that `Encode` has coded.

    Attributes:
      string: The coded string.
      symbols: All symbols [count] in coding order, int32.
      finite: Whether all numbers were finite.
      cdfs: The cdf of each value in the string.
    """

    string: tf.Tensor
    symbols: tf.Tensor
    finite: tf.Tensor
    cdfs: Cdfs


class Encode(LatentCoder):
    """Encodes one image at a time.

    Args:
      latent: The latent [1, height, width, depth].
      tables: The coder's tables.
      sides: As for `LatentCoder`.
    """

    def __init__(self, latent: tf.Tensor, tables: CdfTables, sides: Mapping[HyperTransform, tf.Tensor] | None = None):
        super().__init__(latent, sides)
        self._tables, self._encoder, self._symbols = tables, RangeEncoder(tables), Pieces(tf.int32)
        self._finite = tf.reduce_all(tf.math.is_finite(latent))

    def finish(self) -> Encoded:
        """Codes all symbols, and returns them as one string."""
        string, cdfs = self._encoder.finish()
        return Encoded(string, self._symbols.joined(), self._finite, cdfs)

    def _begin_loop(self, latent: Latent, name: str) -> None:
        self._symbols.begin_loop()
        self._encoder.begin_loop()

    def _loop_state(self) -> Any:
        return self._finite, self._symbols.array, self._encoder.loop_state()

    def _set_loop_state(self, state: Any) -> None:
        self._finite, self._symbols.array, encoder = state
        self._encoder.set_loop_state(encoder)

    def _end_loop(self) -> None:
        self._symbols.end_loop()
        self._encoder.end_loop()

    def _code_centred(self, name: str, centred: tf.Tensor, distribution: Distribution) -> tf.Tensor:
        finite = tf.math.is_finite(centred)
        self._finite &= tf.reduce_all(finite)
        # The range coder cannot code NaN and infinities; the codec raises an error where `finite` is false.
        symbols = tf.cast(rounded(tf.where(finite, centred, 0.0)), "int32")
        self._encoder.write(self._tables.cdfs(name, distribution), symbols, distribution.kept)
        self._symbols.add(symbols)
        return tf.cast(symbols, "float32")
