"""SOAP in numpy and float64, one weight at a time, to which `lic.SOAP` and that of `training/gpu` are held."""

from collections.abc import Iterable

import numpy as np

BETA_1, BETA_2, EPSILON, DECAY = 0.95, 0.95, 1e-7, 0.01


def steps(
    weight: np.ndarray, gradients: Iterable[np.ndarray], rate: float, largest: int, warm_up: int, renewal: int
) -> np.ndarray:
    """Returns a kernel [..., inputs, outputs] after a step by each gradient."""
    sides = weight.shape[-2:]
    axes = [axis for axis in (0, 1) if sides[axis] <= largest]
    products, bases = [np.zeros((side, side)) for side in sides], [np.eye(side) for side in sides]
    mean = square = np.zeros((weight.size // np.prod(sides), *sides))
    for step, gradient in enumerate(gradients, 1):
        gradient = gradient.reshape(mean.shape)
        # The mean is kept in the kernel's own axes here; where it is turned does not matter to what is computed.
        mean = BETA_1 * mean + (1 - BETA_1) * gradient
        square = BETA_2 * square + (1 - BETA_2) * turned(gradient, bases) ** 2
        direction = turned(mean, bases) / (1 - BETA_1**step)
        scale = np.sqrt(1 - BETA_2**step)  # Epsilon is added at the place where Keras adds it.
        direction = turned(direction * scale / (np.sqrt(square) + EPSILON), [basis.T for basis in bases])
        weight = weight * (1 - rate * DECAY) - rate * direction.reshape(weight.shape)
        for axis in axes:
            added = sum(each @ each.T if axis == 0 else each.T @ each for each in gradient)
            products[axis] = BETA_2 * products[axis] + (1 - BETA_2) * added
        if step <= warm_up or step % renewal == 0:
            for axis in axes:
                square, bases[axis] = renewed(square, axis, bases[axis], products[axis])
    return weight


def turned(values: np.ndarray, bases: list[np.ndarray]) -> np.ndarray:
    """Turns values [..., inputs, outputs] into the columns of two bases."""
    return np.stack([bases[0].T @ each @ bases[1] for each in values])


def renewed(square: np.ndarray, axis: int, basis: np.ndarray, product: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Returns the squares in the order of the falling eigenvalues, and the basis one orthogonal iteration further."""
    if not product.any():
        return square, basis
    damped = product / np.mean(np.diag(product)) + 1e-6 * np.eye(len(product))
    order = np.argsort(-np.diag(basis.T @ damped @ basis), kind="stable")
    return np.take(square, order, axis + 1), np.linalg.qr(damped @ basis[:, order])[0]


def adam(weight: np.ndarray, gradients: Iterable[np.ndarray], rate: float) -> np.ndarray:
    """Returns a weight after a step of Adam by each gradient."""
    mean, square = np.zeros_like(weight), np.zeros_like(weight)
    for step, gradient in enumerate(gradients, 1):
        mean = BETA_1 * mean + (1 - BETA_1) * gradient
        square = BETA_2 * square + (1 - BETA_2) * gradient**2
        scale = np.sqrt(1 - BETA_2**step) / (1 - BETA_1**step)
        weight = weight - rate * scale * mean / (np.sqrt(square) + EPSILON)
    return weight
