"""The coder that a walk is given: the walk hands it one part after the other, each with its distribution.

A walk may code further latents, such as side information, each through a coder of its own that `coder.latent` returns.
These coders share the stream, the bits and the loops of the first one.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

from lic.entropy.distributions.base import Distribution
from lic.entropy.distributions.factorized_prior import FactorizedPrior
from lic.entropy.orders import Order
from lic.entropy.parts import EVERYTHING, SIDE, Part
from lic.entropy.range_coding.cdf_tables import LIMIT
from lic.environment import tf
from lic.errors import LicError, check, check_kind
from lic.layers.tracing import outside_xla, refuse_xla
from lic.transforms.base import HyperTransform, check_declared

HyperAnalysis = Callable[[tf.Tensor], tf.Tensor]
Step = Callable[[tf.Tensor, Part], Distribution]
_IN_A_STEP = object()  # Stands for the graph while a step of `coder.serial` runs, in which nothing may be coded.


class HasWalk(Protocol):
    """An entropy model, as far as coders know it."""

    def walk(self, coder: Coder) -> tf.Tensor:
        """Codes every part of a latent, and returns it quantised."""


class Latent(NamedTuple):
    """A latent that is coded: that of the image, or a further one.

    Attributes:
      name: The name of a further latent, which is the key of its bits; "" for that of the image.
      zeros: The latent in zeros [batch, height, width, depth].
      values: The latent itself, or None where it is decoded.
      downscale: How many times smaller than the image's latent it is.
    """

    name: str
    zeros: tf.Tensor
    values: tf.Tensor | None
    downscale: int = 1

    @property
    def is_further(self) -> bool:
        """Whether it is a further latent."""
        return self.name != ""


class Coder(abc.ABC):
    """Base of coders. `code` checks shapes and calls `_code`, which a subclass writes.

    Attributes:
      zeros: A latent of zeros [batch, height, width, depth], which gives the shape and into which a walk puts parts.
      z_hat: The quantised side information, once the walk has coded it; None before.
    """

    def __init__(self, latent: Latent):
        self._latent, self.zeros, self.z_hat, self._graph = latent, latent.zeros, None, _current_graph()
        self._further_names: list[str] = []

    def code(self, part: Part, distribution: Distribution) -> tf.Tensor:
        """Codes a part under a distribution, and returns its numbers quantised.

        Args:
          part: The part of the latent.
          distribution: The distribution of its numbers: the result of a likelihood, or a `FactorizedPrior`.

        Raises:
          ValueError: The part is none, or the distribution does not have its shape; the message names both shapes.
          LicError: The call is inside a loop or branch of TensorFlow.
        """
        self._check_graph()
        check_kind("coder.code", "part", part, Part, "a part, such as lic.entropy.EVERYTHING or channels(0, 8)")
        if not isinstance(distribution, Distribution):
            raise ValueError(
                f"coder.code: expected a lic.Distribution for the part {part.name!r}. "
                f"Received: {type(distribution).__name__}. Call the likelihood with the parameters: "
                "coder.code(part, self.likelihood(parameters))."
            )
        part = part._replace(name=self._key(part.name))
        distribution = distribution.in_part(part, self.zeros)
        _check_shape(part.name, part.take(self.zeros).shape, distribution)
        return self._code(self._latent, part, distribution)

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
        whole = EVERYTHING._replace(name=order.name, order=order)
        latent = self._known_at_once(self._latent, order)
        if latent is not None:
            return self.code(whole, step(latent, whole))
        latent = self._in_a_loop(order, step)
        if not tf.executing_eagerly():
            named = whole._replace(name=self._key(whole.name))
            self._looped(self._latent, named, lambda: step(latent, whole).in_part(named, self.zeros), latent)
        return latent

    def side(self, hyper: HyperTransform, prior: FactorizedPrior | HasWalk) -> tf.Tensor:
        """Codes the side information of the latent, and returns its features, cropped to the latent.

        Args:
          hyper: The hyper transform.
          prior: The prior of the side information, or an entropy model of it.

        Raises:
          ValueError: An argument is of another kind, or side information or features are smaller than the hyper
            transform declares.
          LicError: The call is inside a loop or branch of TensorFlow.
        """
        coder = self.latent(SIDE, hyper)
        can_code = isinstance(prior, Distribution) or hasattr(prior, "walk")
        expected = "a FactorizedPrior or an entropy model, such as self.prior"
        check("coder.side", "prior", can_code, expected, type(prior).__name__)
        self.z_hat = coder.code(EVERYTHING, prior) if isinstance(prior, Distribution) else prior.walk(coder)
        features = hyper.synthesis(self.z_hat)
        sizes = list(zip(features.shape[1:3], self.zeros.shape[1:3]))
        if any(None not in pair and pair[0] < pair[1] for pair in sizes):
            raise ValueError(
                f"{type(hyper).__name__}: expected features of at least the latent's {self.zeros.shape[1:3]} "
                f"positions. Received: {features.shape[1:3]}. Declare the downscale that its layers have, not "
                f"{hyper.downscale}."
            )
        # The features cover whole multiples of the downscale, which may be more than the latent.
        height, width = tf.unstack(tf.shape(self.zeros))[1:3]
        return features[:, :height, :width]

    def latent(self, name: str, hyper: HyperTransform) -> Coder:
        """Returns the coder of a further latent, which a hyper transform's analysis makes of this one.

        The walk of any entropy model codes the further latent: `z_hat = entropy.walk(coder.latent(name, hyper))`. What
        it codes comes before the parts that are coded after it, in one stream.

        Args:
          name: The name of the latent, not empty. The key of the bits of its parts is this name, a slash and the name
            of the part, such as "side/anchors", or the name alone for `EVERYTHING`. The second latent of a name is
            called "side 2", and so on.
          hyper: The hyper transform.

        Raises:
          ValueError: The name is empty, or what the hyper transform makes is not as it declares.
          LicError: The call is inside a loop or branch of TensorFlow.
        """
        self._check_graph()
        check_kind("coder.latent", "hyper", hyper, HyperTransform, "a lic.HyperTransform, such as self.hyper")
        check("coder.latent", "name", bool(name), "the key of its bits, such as 'side'", name)
        self._further_names.append(name)
        count = self._further_names.count(name)
        key = self._key(name if count == 1 else f"{name} {count}")
        further = self._further(self._latent, key, hyper, hyper.analysis)
        check_declared(hyper, "analysis", self.zeros, further.zeros)
        return FurtherCoder(self, further)

    def _key(self, name: str) -> str:
        """Returns the key of the bits of a part, or of a further latent, of this latent."""
        if not self._latent.is_further:
            return name
        return self._latent.name if name == EVERYTHING.name else f"{self._latent.name}/{name}"

    def _check_graph(self) -> None:
        # The coder keeps what a walk hands it, and tensors of an inner graph cannot leave that graph.
        if _current_graph() is not self._graph:
            raise LicError(
                "coder.code: expected a call in the walk itself. Received: a call in an inner graph of TensorFlow, "
                "such as the body of tf.while_loop, tf.cond, tf.map_fn or a tf.function, or in a step of coder.serial. "
                "Loop over parts in Python, or call coder.serial, whose number of steps may depend on the size of the "
                "latent, and whose steps return distributions only."
            )

    def _in_a_loop(self, order: Order, step: Step) -> tf.Tensor:
        refuse_xla("coder.serial")  # XLA computes other sums in TensorFlow 2.21.
        steps = order.steps(*tf.unstack(tf.shape(self.zeros))[1:3])
        outer = self._graph

        def body(number: tf.Tensor, latent: tf.Tensor, state: object) -> tuple:
            self._set_loop_state(state)
            part = steps.part(number)
            self._graph = _IN_A_STEP
            distribution = step(latent, part)
            self._graph = _current_graph()
            latent = part.put(latent, self.code(part, distribution))
            return number + 1, tf.ensure_shape(latent, self.zeros.shape), self._loop_state()

        self._begin_loop(self._latent, self._key(order.name))
        state = tf.constant(0), self.zeros, self._loop_state()
        try:
            _, latent, state = tf.while_loop(lambda number, *_: number < steps.count, outside_xla(body), state)
        finally:
            self._graph = outer
        self._set_loop_state(state)
        self._end_loop()
        return latent

    # What a coder keeps from part to part is a variable of the loop. A subclass that keeps tensors writes these.

    def _begin_loop(self, latent: Latent, name: str) -> None:
        """States that a loop begins, whose steps code parts of one name of a latent."""

    def _loop_state(self) -> Any:
        """Returns all tensors that the coder keeps, nested."""
        return ()

    def _set_loop_state(self, state: Any) -> None:
        """Takes tensors in the place of those that `_loop_state` returned."""

    def _end_loop(self) -> None:
        """States that the loop has ended."""

    def _looped(self, latent: Latent, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        """Receives the part that a loop of a graph has coded, a function for its distribution, and its numbers."""

    def _known_at_once(self, latent: Latent, order: Order) -> tf.Tensor | None:
        """Returns the latent that `step` sees where all positions are computed at once; None where they are not."""
        return None

    @abc.abstractmethod
    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        """Codes a part of a latent whose distribution has been checked, and returns its numbers quantised."""

    @abc.abstractmethod
    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        """Returns a further latent.

        Args:
          latent: The latent that it is made of.
          name: The key of its bits.
          hyper: The hyper transform.
          analysis: Makes it of the latent; the hyper transform's analysis, unless a coder around this one changes it.
        """


def _current_graph() -> tf.Graph | None:
    """Returns the graph that is being traced, or None in eager execution."""
    return None if tf.executing_eagerly() else tf.compat.v1.get_default_graph()


class LatentCoder(Coder):
    """Base of coders that have the latent; a subclass writes `_code_centred`.

    Args:
      latent: The latent [batch, height, width, depth].
      sides: Side information in place of that which the analysis of a hyper transform would make of the latent, by the
        hyper transform.
    """

    def __init__(self, latent: tf.Tensor, sides: Mapping[HyperTransform, tf.Tensor] | None = None):
        super().__init__(Latent("", tf.zeros_like(latent), latent))
        self._sides = sides or {}

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        centred = distribution.centre(part.take(latent.values))
        return distribution.restore(self._code_centred(part.name, centred, distribution))

    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        given = None if latent.is_further else self._sides.get(hyper)
        values = analysis(latent.values) if given is None else given
        return Latent(name, tf.zeros_like(values), values, latent.downscale * hyper.downscale)

    @abc.abstractmethod
    def _code_centred(self, name: str, centred: tf.Tensor, distribution: Distribution) -> tf.Tensor:
        """Codes numbers, and returns them quantised.

        Args:
          name: The name of the part.
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
        super().__init__(coder._latent)

    @property
    def z_hat(self) -> tf.Tensor | None:
        """The quantised side information, which the innermost coder keeps."""
        return self.coder.z_hat

    @z_hat.setter
    def z_hat(self, z_hat: tf.Tensor | None) -> None:
        self.coder.z_hat = z_hat

    def _begin_loop(self, latent: Latent, name: str) -> None:
        self.coder._begin_loop(latent, name)

    def _loop_state(self) -> Any:
        return self.coder._loop_state()

    def _set_loop_state(self, state: Any) -> None:
        self.coder._set_loop_state(state)

    def _end_loop(self) -> None:
        self.coder._end_loop()

    def _looped(self, latent: Latent, whole: Part, distribution: Callable[[], Distribution], values: tf.Tensor) -> None:
        self.coder._looped(latent, whole, distribution, values)

    def _known_at_once(self, latent: Latent, order: Order) -> tf.Tensor | None:
        return self.coder._known_at_once(latent, order)

    def _code(self, latent: Latent, part: Part, distribution: Distribution) -> tf.Tensor:
        return self.coder._code(latent, part, distribution)

    def _further(self, latent: Latent, name: str, hyper: HyperTransform, analysis: HyperAnalysis) -> Latent:
        return self.coder._further(latent, name, hyper, analysis)


class FurtherCoder(CoderAround):
    """The coder of a further latent; see `Coder.latent`.

    Args:
      coder: The coder of the latent that the further one is made of.
      latent: The further latent.
    """

    z_hat: tf.Tensor | None = None  # Its own side information, not that of the other coder.

    def __init__(self, coder: Coder, latent: Latent):
        super().__init__(coder)
        self._latent, self.zeros = latent, latent.zeros


def side_zeros(latent: Latent, hyper: HyperTransform) -> tf.Tensor:
    """Returns zeros in the shape of the side information that a hyper transform makes of a latent."""
    batch, *sizes = tf.unstack(tf.shape(latent.zeros))[:3]
    # Not -(-size // downscale): ONNX rounds quotients of negative numbers towards zero.
    rows, columns = ((size + hyper.downscale - 1) // hyper.downscale for size in sizes)
    return tf.zeros((batch, rows, columns, hyper.depth))


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
