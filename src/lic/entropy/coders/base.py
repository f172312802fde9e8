"""The coder that a walk is given: the walk hands it one part after the other, each with its distribution."""

from __future__ import annotations

import abc
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from lic.entropy.distributions.base import Distribution
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.orders import Order
from lic.entropy.parts import EVERYTHING, SIDE, Part
from lic.entropy.range_coding.cdf_tables import LIMIT
from lic.environment import tf
from lic.errors import LicError

if TYPE_CHECKING:
    from lic.transforms.base import HyperTransform

HyperAnalysis = Callable[[tf.Tensor], tf.Tensor]
Step = Callable[[tf.Tensor, Part], Distribution]


class Coder(abc.ABC):
    """Base of coders. `code` checks shapes and calls `_code`, which a subclass writes.

    Attributes:
      zeros: A latent of zeros [batch, height, width, depth], which gives the shape and into which a walk puts parts.
      z_hat: The quantised side information, once the walk has coded it; None before.
    """

    def __init__(self, zeros: tf.Tensor):
        self.zeros, self.z_hat, self._graph = zeros, None, _current_graph()

    def code(self, part: Part, distribution: Distribution) -> tf.Tensor:
        """Codes a part under a distribution, and returns its numbers quantised.

        Args:
          part: The part of the latent.
          distribution: The distribution of its numbers: the result of a likelihood, or a `FactorizedPrior`.

        Raises:
          ValueError: The distribution does not have the shape of the part; the message names both shapes.
          LicError: The call is inside a loop or branch of TensorFlow.
        """
        self._check_graph()
        if not isinstance(distribution, Distribution):
            raise ValueError(
                f"coder.code: expected a lic.Distribution for the part {part.name!r}. "
                f"Received: {type(distribution).__name__}. Call the likelihood with the parameters: "
                "coder.code(part, self.likelihood(parameters))."
            )
        distribution = distribution.in_part(part, self.zeros)
        _check_shape(part.name, part.take(self.zeros).shape, distribution)
        return self._code(part, distribution)

    def serial(self, order: Order, step: Step) -> tf.Tensor:
        """Codes the latent in an order whose number of steps depends on its size, and returns it quantised.

        One graph serves every size. In training all positions are computed at once.

        Args:
          order: The order, such as `wavefronts(5)`.
          step: Maps the latent as far as it is known [batch, height, width, depth], with zeros elsewhere, and a part to
            the distribution of the part's numbers. In training the latent is the whole one, rounded or with noise, and
            the part holds everything; then a position must see only positions of earlier steps by itself, such as by
            a masked kernel.

        Raises:
          ValueError: As for `code`.
          LicError: As for `code`.
        """
        self._check_graph()
        whole, latent = EVERYTHING._replace(name=order.name, order=order), self._known_at_once(order)
        if latent is not None:
            return self.code(whole, step(latent, whole))
        latent = self._in_a_loop(order, step)
        if not tf.executing_eagerly():
            self._looped(whole, lambda: step(latent, whole).in_part(whole, self.zeros), latent)
        return latent

    def side(self, hyper: HyperTransform, prior: FactorizedPrior) -> tf.Tensor:
        """Codes the side information of the latent, and returns its features, cropped to the latent.

        Args:
          hyper: The hyper transform.
          prior: The prior of the side information.

        Raises:
          LicError: The call is inside a loop or branch of TensorFlow.
        """
        self._check_graph()
        self.z_hat = self._code_side(hyper.analysis, hyper.downscale, prior)
        # The features cover whole multiples of the downscale, which may be more than the latent.
        height, width = tf.unstack(tf.shape(self.zeros)[1:3])
        return hyper.synthesis(self.z_hat)[:, :height, :width]

    def _check_graph(self) -> None:
        # The coder keeps what a walk hands it, and tensors of an inner graph cannot leave that graph.
        if _current_graph() is not self._graph:
            raise LicError(
                "coder.code: expected a call in the walk itself. Received: a call in an inner graph of TensorFlow, "
                "such as the body of tf.while_loop, tf.cond, tf.map_fn or a tf.function. Loop over parts in Python, or "
                "call coder.serial, whose number of steps may depend on the size of the latent."
            )

    def _in_a_loop(self, order: Order, step: Step) -> tf.Tensor:
        steps = order.steps(*tf.unstack(tf.shape(self.zeros)[1:3]))
        outer = self._graph

        def body(number: tf.Tensor, latent: tf.Tensor, state: object) -> tuple:
            self._graph = _current_graph()
            self._set_loop_state(state)
            part = steps.part(number)
            latent = part.put(latent, self.code(part, step(latent, part)))
            return number + 1, tf.ensure_shape(latent, self.zeros.shape), self._loop_state()

        self._begin_loop(order.name)
        state = tf.constant(0), self.zeros, self._loop_state()
        try:
            _, latent, state = tf.while_loop(lambda number, *_: number < steps.count, body, state)
        finally:
            self._graph = outer
        self._set_loop_state(state)
        self._end_loop()
        return latent

    # What a coder keeps from part to part is a variable of the loop. A subclass that keeps tensors writes these.

    def _begin_loop(self, name: str) -> None:
        """States that a loop begins, whose steps code parts of one name."""

    def _loop_state(self) -> Any:
        """Returns all tensors that the coder keeps, nested."""
        return ()

    def _set_loop_state(self, state: Any) -> None:
        """Takes tensors in the place of those that `_loop_state` returned."""

    def _end_loop(self) -> None:
        """States that the loop has ended."""

    def _looped(self, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        """Receives the part that a loop of a graph has coded, a function for its distribution, and its numbers."""

    def _known_at_once(self, order: Order) -> tf.Tensor | None:
        """Returns the latent that `step` sees where all positions are computed at once; None where they are not."""
        return None

    @abc.abstractmethod
    def _code(self, part: Part, distribution: Distribution) -> tf.Tensor:
        """Codes a part whose distribution has been checked, and returns its numbers quantised."""

    @abc.abstractmethod
    def _code_side(self, analysis: HyperAnalysis, downscale: int, prior: FactorizedPrior) -> tf.Tensor:
        """Codes the side information, and returns it quantised.

        Args:
          analysis: Makes the side information of a latent.
          downscale: How many times smaller than the latent the side information is.
          prior: The prior of the side information.
        """


def _current_graph() -> tf.Graph | None:
    """Returns the graph that is being traced, or None in eager execution."""
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


class LatentCoder(Coder):
    """Base of coders that have the latent; a subclass writes `_code_centred`.

    Args:
      latent: The latent [batch, height, width, depth].
      side: Side information in place of that of the hyper analysis, or None.
    """

    def __init__(self, latent: tf.Tensor, side: tf.Tensor | None = None):
        super().__init__(tf.zeros_like(latent))
        self._latent, self._side = latent, side

    def _code(self, part: Part, distribution: Distribution) -> tf.Tensor:
        return self._coded(part.name, part.take(self._latent), distribution)

    def _code_side(self, analysis: HyperAnalysis, downscale: int, prior: FactorizedPrior) -> tf.Tensor:
        side = analysis(self._latent) if self._side is None else self._side
        return self._coded(SIDE, side, prior)

    def _coded(self, name: str, values: tf.Tensor, distribution: Distribution) -> tf.Tensor:
        return distribution.restore(self._code_centred(name, distribution.centre(values), distribution))

    @abc.abstractmethod
    def _code_centred(self, name: str, centred: tf.Tensor, distribution: Distribution) -> tf.Tensor:
        """Codes numbers, and returns them quantised.

        Args:
          name: The name of the part, or `SIDE`.
          centred: The numbers as differences from their offsets.
          distribution: Their distribution.
        """


class CoderAround(Coder):
    """Base of coders that pass everything to another coder, and share its latent and side information.

    Args:
      coder: The other coder.
    """

    def __init__(self, coder: Coder):
        self.coder = coder
        super().__init__(coder.zeros)

    @property
    def z_hat(self) -> tf.Tensor | None:
        """The quantised side information, which the innermost coder keeps."""
        return self.coder.z_hat

    @z_hat.setter
    def z_hat(self, z_hat: tf.Tensor | None) -> None:
        self.coder.z_hat = z_hat

    def _begin_loop(self, name: str) -> None:
        self.coder._begin_loop(name)

    def _loop_state(self) -> Any:
        return self.coder._loop_state()

    def _set_loop_state(self, state: Any) -> None:
        self.coder._set_loop_state(state)

    def _end_loop(self) -> None:
        self.coder._end_loop()

    def _looped(self, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        self.coder._looped(whole, distribution, values)

    def _known_at_once(self, order: Order) -> tf.Tensor | None:
        return self.coder._known_at_once(order)

    def _code(self, part: Part, distribution: Distribution) -> tf.Tensor:
        return self.coder._code(part, distribution)

    def _code_side(self, analysis: HyperAnalysis, downscale: int, prior: FactorizedPrior) -> tf.Tensor:
        return self.coder._code_side(analysis, downscale, prior)


def rounded(centred: tf.Tensor) -> tf.Tensor:
    """Returns centred numbers as symbols, clipped to what a range coder can code."""
    return tf.clip_by_value(tf.round(centred), -LIMIT, LIMIT)


def _check_shape(name: str, expected: tf.TensorShape, distribution: Distribution) -> None:
    # A shape that is merely broadcastable would train, and fail when the first image is encoded.
    try:
        shape = distribution.shape
    except ValueError as error:
        raise ValueError(f"The distribution of the part {name!r}: {error}.") from None
    if not expected.is_compatible_with(shape):
        raise ValueError(
            f"The distribution of the part {name!r} has the shape {shape}, expected that of the part, {expected}. "
            "Its parameters need one value for each number of the part."
        )
