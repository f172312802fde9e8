"""Adam and SOAP in PyTorch, with the same steps as `lic.Adam` and `lic.SOAP`.

SOAP is Adam in the eigenvectors of the gradients' products. Kernels of one shape are stacked, so that a step is a few
large products whatever the number of layers.

Source: Vyas et al., ICLR 2025, arXiv 2409.11321, algorithm 3.
"""

from collections.abc import Iterable

import torch
from torch import nn

DAMPING = 1e-6  # A share of the mean eigenvalue, which keeps directions without gradients as they are.


class Adam:
    """PyTorch's Adam, in one operation for all weights; `learning_rate` may be set at any time.

    Args:
      weights: The weights.
      learning_rate: The first learning rate; later ones are set as an attribute.
      betas: Shares of their values that the means of gradients, and of squares, keep in a step.
      epsilon: Added to the roots of the squares.
    """

    def __init__(
        self,
        weights: Iterable[nn.Parameter],
        learning_rate: float,
        betas: tuple[float, float] = (0.9, 0.999),
        epsilon: float = 1e-7,
    ):
        self.weights, self.learning_rate = list(weights), learning_rate
        self.optimizer = torch.optim.Adam(self.weights, learning_rate, betas, epsilon, fused=True)
        self.moments = [[torch.zeros_like(each) for each in self.weights] for _ in range(2)]
        self.start_at(0)

    def step(self) -> None:
        """Takes a step by the gradients that the weights hold."""
        self.optimizer.param_groups[0]["lr"] = self.learning_rate
        self.optimizer.step()

    def zero_grad(self) -> None:
        """Drops the gradients."""
        self.optimizer.zero_grad()

    def kept(self) -> list[torch.Tensor]:
        """Returns the state, from which, with the number of steps, a training is resumed."""
        return [*self.moments[0], *self.moments[1]]

    def start_at(self, step: int) -> None:
        """Sets the number of steps that have been taken."""
        for weight, first, second in zip(self.weights, *self.moments):
            count = torch.tensor(float(step), device=weight.device)
            self.optimizer.state[weight] = {"step": count, "exp_avg": first, "exp_avg_sq": second}


class SOAP:
    """SOAP for named weights; `learning_rate` may be set at any time.

    Kernels [one, other, height, width] of convolutions are turned along each of the first two axes that is not longer
    than `largest_side`. Adam steps all other weights, without decay: depthwise kernels, linear paths, gains and biases.

    Args:
      named: Names and weights of a model.
      learning_rate: The first learning rate; later ones are set as an attribute.
      betas: Shares of their values that the means of gradients, and of squares and products, keep in a step.
      epsilon: Added to the roots of the squares.
      decay: Share of a kernel that a step at a learning rate of 1 takes away.
      largest_side: The longest axis that is turned.
      warm_up: Number of first steps that each renew the eigenvectors.
      renewal: Steps from one renewal to the next after the warm-up.
    """

    def __init__(
        self,
        named: Iterable[tuple[str, nn.Parameter]],
        learning_rate: float,
        betas: tuple[float, float] = (0.95, 0.95),
        epsilon: float = 1e-7,
        decay: float = 0.01,
        largest_side: int = 256,
        warm_up: int = 100,
        renewal: int = 10,
    ):
        self.learning_rate, self.betas, self.epsilon, self.decay = learning_rate, betas, epsilon, decay
        self.warm_up, self.renewal, self.steps_taken = warm_up, renewal, 0
        stacks, others = {}, []
        for name, weight in named:
            turned = is_kernel(name, weight) and min(weight.shape[:2]) <= largest_side
            (stacks.setdefault(tuple(weight.shape), []) if turned else others).append(weight)
        self.stacks, self.adam = [Stack(weights, largest_side) for weights in stacks.values()], None
        if others:
            self.adam = Adam(others, learning_rate, betas, epsilon)

    @torch.no_grad()
    def step(self) -> None:
        """Takes a step by the gradients that the weights hold."""
        self.steps_taken += 1
        one, two = (1 - beta**self.steps_taken for beta in self.betas)
        scale = two**0.5 / one  # Adam's correction of means that started at zero.
        renews = self.steps_taken <= self.warm_up or self.steps_taken % self.renewal == 0
        for stack in self.stacks:
            taken = stack.step(self.betas, self.epsilon, renews)
            torch._foreach_mul_(stack.weights, 1 - self.learning_rate * self.decay)
            torch._foreach_add_(stack.weights, taken, alpha=-self.learning_rate * scale)
        if self.adam:
            self.adam.learning_rate = self.learning_rate
            self.adam.step()

    def zero_grad(self) -> None:
        """Drops the gradients."""
        for weight in (weight for stack in self.stacks for weight in stack.weights):
            weight.grad = None
        if self.adam:
            self.adam.zero_grad()

    def kept(self) -> list[torch.Tensor]:
        """Returns the state, from which, with the number of steps, a training is resumed."""
        stacked = [each for stack in self.stacks for each in (stack.mean, stack.square, *stack.bases, *stack.products)]
        return [*(self.adam.kept() if self.adam else []), *(each for each in stacked if each is not None)]

    def start_at(self, step: int) -> None:
        """Sets the number of steps that have been taken."""
        self.steps_taken = step
        if self.adam:
            self.adam.start_at(step)


def is_kernel(name: str, weight: torch.Tensor) -> bool:
    """Returns whether a weight mixes channels.

    The linear path does not, since its axes are colours and positions, and a depthwise kernel does not.
    """
    return weight.ndim == 4 and ".linear." not in name and min(weight.shape[:2]) > 1


class Stack:
    """Kernels of one shape, each as [positions, one, other], and their state.

    Args:
      weights: Kernels [one, other, height, width].
      largest_side: The longest axis that is turned.
    """

    def __init__(self, weights: list[nn.Parameter], largest_side: int):
        one, other, height, width = weights[0].shape
        count, self.weights = len(weights), weights
        self.mean = weights[0].new_zeros(count, height * width, one, other)
        self.square = torch.zeros_like(self.mean)
        sides = [side if side <= largest_side else None for side in (one, other)]
        self.bases = [
            None if side is None else torch.eye(side, device=self.mean.device).repeat(count, 1, 1) for side in sides
        ]
        self.products = [None if basis is None else torch.zeros_like(basis) for basis in self.bases]

    def step(self, betas: tuple[float, float], epsilon: float, renews: bool) -> list[torch.Tensor]:
        """Returns the differences that a learning rate of 1 subtracts from kernels, without Adam's bias correction."""
        gradient = torch.stack([weight.grad.flatten(2).permute(2, 0, 1) for weight in self.weights])
        turned = turn(gradient, self.bases)
        self.mean.lerp_(turned, 1 - betas[0])
        self.square.mul_(betas[1]).addcmul_(turned, turned, value=1 - betas[1])
        taken = turn(self.mean / self.square.sqrt().add_(epsilon), self.bases, back=True)
        for axis, product in enumerate(self.products):
            if product is not None:
                rows = gradient.permute(0, 2 + axis, 1, 3 - axis).flatten(2)
                product.lerp_(rows @ rows.mT, 1 - betas[1])
        if renews:
            self._renew()
        return [each.permute(1, 2, 0).reshape(self.weights[0].shape) for each in taken]

    def _renew(self) -> None:
        """Puts each basis in the order of falling eigenvalues, and takes one step of an orthogonal iteration."""
        mean = turn(self.mean, self.bases, back=True)
        for axis, (basis, product) in enumerate(zip(self.bases, self.products)):
            if basis is None:
                continue
            # Divided by the mean eigenvalue, products of all magnitudes have one damping.
            average = product.diagonal(dim1=1, dim2=2).mean(1)[:, None, None]
            multiplied = torch.where(average > 0, product / average, 0.0) @ basis + DAMPING * basis
            order = (basis * multiplied).sum(1).argsort(dim=1, descending=True, stable=True)
            index = order[:, None, :, None] if axis == 0 else order[:, None, None]
            self.square.copy_(self.square.take_along_dim(index, 2 + axis))
            basis.copy_(orthonormal(multiplied.take_along_dim(order[:, None], 2), basis))
        self.mean.copy_(turn(mean, self.bases))


def turn(values: torch.Tensor, bases: list[torch.Tensor | None], back: bool = False) -> torch.Tensor:
    """Turns values [kernels, positions, one, other] into bases of column vectors, or back; None turns nothing."""
    one, other = bases
    if one is not None:
        values = (one if back else one.mT)[:, None] @ values
    if other is not None:
        values = (values.flatten(1, 2) @ (other.mT if back else other)).view(values.shape)
    return values


def orthonormal(matrices: torch.Tensor, otherwise: torch.Tensor) -> torch.Tensor:
    """Returns the orthonormal factors of QR decompositions.

    They are made by Cholesky decompositions, which a GPU computes for many matrices at once. Two passes in float64
    suffice for columns that are nearly parallel. A matrix for which even that fails is replaced.

    Args:
      matrices: The matrices [count, side, side].
      otherwise: Replaces matrices that fail, in the same shape.
    """
    values, failed = matrices.double(), torch.zeros(len(matrices), dtype=torch.bool, device=matrices.device)
    for _ in range(2):
        values = values / torch.linalg.vector_norm(values, dim=1, keepdim=True)
        factor, info = torch.linalg.cholesky_ex(values.mT @ values)
        values = torch.linalg.solve_triangular(factor.mT, values, upper=True, left=False)
        failed |= info > 0
    return torch.where(failed[:, None, None], otherwise, values.to(matrices.dtype))
