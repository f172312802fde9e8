"""SOAP: Adam in the eigenvectors of the gradients' second moments."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from lic.environment import keras, slots_of, tf
from lic.models.optimizer import Adam

DAMPING = 1e-6  # A share of the mean eigenvalue, which keeps directions without gradients as they are.


@keras.utils.register_keras_serializable(package="lic")
class SOAP(Adam):
    """Adam in the eigenvectors of Shampoo's preconditioners. It takes fewer steps, and each step costs more.

    A kernel [..., inputs, outputs] counts as [all else merged, inputs, outputs]. For its inputs and for its outputs,
    where they are not too many, the mean of the gradient's products with itself is kept, [inputs, inputs] and
    [outputs, outputs]. The gradient is turned into the eigenvectors of both, Adam steps there, and the step is turned
    back. The eigenvectors start at the identity, so that the first step is Adam's. A renewal of the eigenvectors is one
    step of an orthogonal iteration.

    All other weights are stepped by Adam without weight decay: biases, depthwise kernels, kernels with too many inputs
    and outputs, and weights that `adam_names` names.

    Source: Vyas et al., ICLR 2025, arXiv 2409.11321, algorithm 3; for learned codecs arXiv 2601.20769.

    Args:
      learning_rate: A number, or a schedule of Keras.
      beta_1: Share of its value that the mean of gradients keeps in a step.
      beta_2: Share of their values that the means of squares and of products keep in a step.
      weight_decay: Share of a kernel that a step at a learning rate of 1 takes away; None: none.
      largest_side: The most inputs, or outputs, for which this axis of a kernel is turned.
      warm_up: Number of first steps that each renew the eigenvectors.
      renewal: Steps from one renewal to the next after the warm-up.
      adam_names: Parts of the names of weights that Adam steps, whatever their shapes.
      **kwargs: Arguments of Keras's Adam other than `amsgrad`, such as `global_clipnorm`.

    Raises:
      ValueError: `largest_side`, `warm_up` or `renewal` is too small, `amsgrad` is set, or the learning rate is not
        valid.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        beta_1: float = 0.95,
        beta_2: float = 0.95,
        *,
        weight_decay: float | None = 0.01,
        largest_side: int = 256,
        warm_up: int = 100,
        renewal: int = 10,
        adam_names: Sequence[str] = ("bias", "log_", "matrix", "factor", "reparam"),
        **kwargs: Any,
    ):
        for name, value, least in (("largest_side", largest_side, 1), ("warm_up", warm_up, 0), ("renewal", renewal, 1)):
            if value < least:
                raise ValueError(f"SOAP: expected {name} of at least {least}. Received: {name}={value}.")
        if kwargs.get("amsgrad"):
            raise ValueError("SOAP: expected no amsgrad, which it does not compute. Received: amsgrad=True.")
        super().__init__(learning_rate, beta_1=beta_1, beta_2=beta_2, weight_decay=weight_decay, **kwargs)
        self.largest_side, self.warm_up, self.renewal = largest_side, warm_up, renewal
        self.adam_names = tuple(adam_names)
        self.__dict__["_numbers"] = {}

    def build(self, variables: Sequence[tf.Variable]) -> None:
        """Makes the state of each weight.

        Each list has one matrix for each weight, which is empty where this axis is not turned.
        """
        if self._numbers:
            return
        super().build(variables)
        self._input_products, self._input_bases, self._output_products, self._output_bases = [], [], [], []
        for number, variable in enumerate(variables):
            self._numbers[self._var_key(variable)] = number
            inputs, outputs = self._sides(variable)
            self._input_products.append(self._square(inputs, "zeros", f"input_products_{number}"))
            self._input_bases.append(self._square(inputs, "identity", f"input_bases_{number}"))
            self._output_products.append(self._square(outputs, "zeros", f"output_products_{number}"))
            self._output_bases.append(self._square(outputs, "identity", f"output_bases_{number}"))

    def update_step(self, gradient: tf.Tensor, variable: tf.Variable, *rest: tf.Tensor) -> None:
        """Updates one variable; Keras calls this method."""
        number = self._numbers[self._var_key(variable)]
        if not self._is_turned(number):
            super().update_step(gradient, variable, *rest)
            return
        kept = [*slots_of(self, variable), *(each[number] for each in self._kept_of_sides())]
        step, values = _stepped(
            tf.convert_to_tensor(gradient),
            [tf.convert_to_tensor(each) for each in kept],
            self._factors or self._make_factors(),
            self._is_due(),
        )
        variable.assign_sub(tf.cast(rest[0] if rest else self.learning_rate, variable.dtype) * step)
        for each, value in zip(kept, values):
            each.assign(value)

    def get_config(self) -> dict[str, Any]:
        config = super().get_config()
        return config | {
            "largest_side": self.largest_side,
            "warm_up": self.warm_up,
            "renewal": self.renewal,
            "adam_names": list(self.adam_names),
        }

    def _sides(self, variable: tf.Variable) -> list[int]:
        """Returns the numbers of inputs and outputs of a kernel, each 0 where it is not turned."""
        last = variable.name.split("/")[-1]
        is_other = any(part in last for part in self.adam_names)
        if is_other or len(variable.shape) < 2 or 1 in variable.shape[-2:]:
            return [0, 0]
        return [side if side <= self.largest_side else 0 for side in variable.shape[-2:]]

    def _square(self, side: int, initializer: str, name: str) -> tf.Variable:
        return self.add_variable(shape=(side, side), dtype="float32", initializer=initializer, name=name)

    def _is_turned(self, number: int) -> bool:
        return any(each[number].shape[0] for each in (self._input_bases, self._output_bases))

    def _use_weight_decay(self, variable: tf.Variable) -> bool:
        return self._is_turned(self._numbers[self._var_key(variable)]) and super()._use_weight_decay(variable)

    def _is_due(self) -> tf.Tensor:
        """Returns whether this step renews the eigenvectors."""
        step = tf.convert_to_tensor(self.iterations) + 1
        return (step <= self.warm_up) | (step % self.renewal == 0)

    def _kept_of_sides(self) -> tuple[list, list, list, list]:
        return self._input_bases, self._output_bases, self._input_products, self._output_products


# This function is traced once for all kernels of a shape.
@tf.function(autograph=False)
def _stepped(
    gradient: tf.Tensor, kept: Sequence[tf.Tensor], factors: dict[str, tf.Tensor], is_due: tf.Tensor
) -> tuple[tf.Tensor, list[tf.Tensor]]:
    """Returns the difference that a learning rate of 1 subtracts from a kernel, and the kernel's new state.

    Args:
      gradient: The kernel's gradient [..., inputs, outputs].
      kept: The kernel's state: mean and square of turned gradients, bases of inputs and outputs, and products of both.
      factors: The factors of Adam that are the same for all weights in a step.
      is_due: Whether the bases are renewed.
    """
    whole, shape = gradient.shape, (math.prod(gradient.shape[:-2]), *gradient.shape[-2:])
    gradient, mean, square = (tf.reshape(values, shape) for values in (gradient, *kept[:2]))
    bases, products = kept[2:4], kept[4:]
    # Adam's mean and square live in the turned axes; its correction of their start at zero is one factor.
    turned = _turn(gradient, *bases)
    mean += (1 - factors["beta1"]) * (turned - mean)
    square += (1 - factors["beta2"]) * (tf.square(turned) - square)
    scale = tf.sqrt(1 - factors["beta2_power"]) / (1 - factors["beta1_power"])
    step = _turn(scale * mean / (tf.sqrt(square) + factors["epsilon"]), *bases, back=True)
    # The products are those of the gradient in the kernel's own axes, summed over all other axes.
    products = [
        product + (1 - factors["beta2"]) * (tf.einsum(law, gradient, gradient) - product)
        if product.shape[0]
        else product
        for product, law in zip(products, ("kio,kjo->ij", "kio,kij->oj"))
    ]
    mean, square, *bases = tf.cond(
        is_due, lambda: _renewed(mean, square, bases, products), lambda: (mean, square, *bases)
    )
    return tf.reshape(step, whole), [tf.reshape(mean, whole), tf.reshape(square, whole), *bases, *products]


def _turn(values: tf.Tensor, inputs: tf.Tensor, outputs: tf.Tensor, back: bool = False) -> tf.Tensor:
    """Turns values [places, inputs, outputs] into bases of column vectors, or back; empty ones turn nothing."""
    if inputs.shape[0]:
        values = tf.einsum("ji,kio->kjo" if back else "ij,kio->kjo", inputs, values)
    if outputs.shape[0]:
        values = tf.einsum("kio,jo->kij" if back else "kio,oj->kij", values, outputs)
    return values


def _renewed(mean: tf.Tensor, square: tf.Tensor, bases: Sequence[tf.Tensor], products: Sequence[tf.Tensor]) -> tuple:
    """Renews bases, and returns the mean turned into them, the squares in their order, and the bases.

    Before the QR decomposition each basis is put in the order of falling eigenvalues, and the squares follow.
    """
    mean, renewed = _turn(mean, *bases, back=True), []
    for axis, basis, product in zip((1, 2), bases, products):
        if basis.shape[0]:
            # Divided by the mean eigenvalue, products of all magnitudes have one damping.
            damped = tf.math.divide_no_nan(product, tf.linalg.trace(product) / basis.shape[0])
            multiplied = tf.linalg.matmul(damped, basis) + DAMPING * basis
            order = tf.argsort(tf.reduce_sum(basis * multiplied, 0), direction="DESCENDING", stable=True)
            square = tf.gather(square, order, axis=axis)
            basis = tf.linalg.qr(tf.gather(multiplied, order, axis=1))[0]
        renewed.append(basis)
    return _turn(mean, *renewed), square, *renewed
