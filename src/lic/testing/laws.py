"""Laws are properties of every part of a kind. Each is a function that raises an AssertionError if it does not hold."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NoReturn

import numpy as np

from lic.environment import keras, tf

Law = Callable[..., None]


class LawError(AssertionError):
    """Laws that a part breaks.

    Attributes:
      broken: Name of each broken law -> where it is broken, and the numbers.
    """

    def __init__(self, subject: str, broken: dict[str, str]):
        self.broken = broken
        found = "".join(f"\n  {name}: {what}" for name, what in broken.items())
        super().__init__(f"{subject} breaks {len(broken)} of the laws:{found}")


def name_of(law: Law) -> str:
    """Returns the name of a law: the name of its function, in words."""
    return law.__name__.replace("_", " ")


def slow(law: Law) -> Law:
    """Marks a law that takes long, which checks with `quick=True` leave out."""
    law.is_slow = True
    return law


def ends_if_broken(law: Law) -> Law:
    """Marks a law without which no other can be tried: if it is broken, the check ends there."""
    law.ends_the_check = True
    return law


def keeps_weights(law: Law) -> Law:
    """Marks a law that is tried with the weights as they are, outside of the context of the other laws."""
    law.keeps_weights = True
    return law


class Trial:
    """The laws of one part, and the arguments that they are tried with.

    Args:
      subject: The name of the part in messages.
      laws: The laws.
      *given: The arguments of each law.
      during: Makes a context in which the laws are tried, but for those that `keeps_weights` marks.
    """

    def __init__(
        self,
        subject: str,
        laws: Sequence[Law],
        *given: object,
        during: Callable[[], contextlib.AbstractContextManager] = contextlib.nullcontext,
    ):
        self.subject, self.laws, self._given, self._during = subject, tuple(laws), given, during

    def laws_for(self, quick: bool) -> list[Law]:
        """Returns all laws, or those that take little time."""
        return [law for law in self.laws if not (quick and hasattr(law, "is_slow"))]

    def check(self, *laws: Law, quick: bool = False) -> None:
        """Tries some laws, or all if none is given, and raises one error for all that are broken.

        Args:
          *laws: The laws to try.
          quick: Whether laws that take long are left out.

        Raises:
          LawError: Laws do not hold, or raised another error.
        """
        laws = laws or tuple(self.laws_for(quick))
        kept = [law for law in laws if hasattr(law, "keeps_weights")]
        with self._during():
            broken = self._broken(law for law in laws if law not in kept)
        broken |= self._broken(kept)
        if broken:
            raise LawError(self.subject, broken)

    def _broken(self, laws: Iterable[Law]) -> dict[str, str]:
        """Tries laws, and returns where each broken one is broken."""
        broken = {}
        # All laws are tried but after a broken first one, so that one error names everything to mend.
        for law in laws:
            try:
                law(*self._given)
            except AssertionError as error:
                broken[name_of(law)] = str(error)
            except Exception as error:
                broken[name_of(law)] = f"{type(error).__name__} was raised: {error}"
            if broken and hasattr(law, "ends_the_check"):
                break
        return broken


def require(holds: bool, message: str) -> None:
    """Raises an AssertionError with a message unless a condition holds, also under `python -O`."""
    if not holds:
        fail(message)


def fail(message: str) -> NoReturn:
    """Raises an AssertionError with a message."""
    raise AssertionError(message)


def require_same(what: str, first: object, second: object) -> None:
    """Requires two arrays to be equal to the bit, or both to be None."""
    require((first is None) == (second is None), f"{what}: one is there and the other is None")
    if first is None:
        return
    first, second = np.asarray(first), np.asarray(second)
    require(first.shape == second.shape, f"{what}: shapes {first.shape} and {second.shape}")
    differing = np.flatnonzero(first.ravel() != second.ravel())
    if differing.size:
        one, other = (array.ravel()[differing[0]] for array in (first, second))
        where = tuple(int(axis) for axis in np.unravel_index(differing[0], first.shape))
        fail(f"{what}: {differing.size} of {first.size} numbers differ, first {one!r} and {other!r} at {where}")


def require_near(what: str, first: object, second: object, tolerance: float) -> None:
    """Requires two arrays to differ by at most a tolerance, relative to the largest number where that is over 1."""
    first, second = np.asarray(first, np.float64), np.asarray(second, np.float64)
    require(first.shape == second.shape, f"{what}: shapes {first.shape} and {second.shape}")
    if not first.size:
        return
    difference, largest = np.abs(first - second).max(), max(1.0, np.abs(second).max())
    require(
        difference <= tolerance * largest,
        f"{what}: numbers up to {largest:.6g} differ by up to {difference:.3g}, more than {tolerance:g} of that",
    )


def require_finite(what: str, values: object) -> None:
    """Requires that all numbers of an array are finite."""
    finite = np.isfinite(np.asarray(tf.cast(tf.convert_to_tensor(values), tf.float32)))
    require(bool(finite.all()), f"{what}: {np.count_nonzero(~finite)} of {finite.size} numbers are not finite")


def require_gradients(tape: tf.GradientTape, loss: tf.Tensor, layer: keras.layers.Layer) -> None:
    """Requires that a loss has a gradient, in float32, finite and not zero, for every trainable variable of a layer."""
    variables = layer.trainable_variables
    for variable, gradient in zip(variables, tape.gradient(loss, variables)):
        name = getattr(variable, "path", variable.name)
        require(gradient is not None, f"the variable {name!r} has no gradient")
        kind = gradient.dtype.name  # Training adds up the squares of all gradients, which are in one type.
        require(kind == "float32", f"the gradient of {name!r} is {kind}, expected float32: make its layer in float32")
        require_finite(f"the gradient of {name!r}", gradient)
        require(bool(np.any(tf.convert_to_tensor(gradient))), f"the gradient of {name!r} is zero")


def each(sizes: Iterable[tuple[int, int]]) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yields sizes, each with words for messages."""
    for height, width in sizes:
        yield f"at {height}x{width}", (height, width)
