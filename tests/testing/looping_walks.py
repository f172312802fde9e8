"""Entropy models that code inside loops and branches of TensorFlow, where a coder cannot code."""

from lic.entropy import Part
from lic.environment import tf
from tests.testing.entropy_mutants import Halves

LOOPING = []


def looping(maker):
    LOOPING.append(maker)
    return maker


def _third(number):
    """Returns a third of the channels, whose number may be a tensor."""

    def own(latent):
        return tf.range(latent.shape[-1]) // 4 == number

    return Part(
        "third",
        lambda latent: tf.ensure_shape(latent[..., 4 * number : 4 * number + 4], (*latent.shape[:3], 4)),
        lambda latent, values: tf.where(own(latent), tf.tile(values, (1, 1, 1, 3)), latent),
    )


class _Thirds(Halves):
    """Codes three thirds of the channels in a loop."""

    def coded(self, coder, number, features, y_hat):
        part = _third(number)
        parameters = tf.concat([network(features) for network in self.networks], -1)
        mean, index = self.parameters(coder, parameters)
        return part.put(y_hat, coder.code(part, self.likelihood.of(part.take(mean), part.take(index))))


@looping
class WhileLoop(_Thirds):
    def walk(self, coder):
        features = self.features(coder)

        def body(number, y_hat):
            return number + 1, self.coded(coder, number, features, y_hat)

        return tf.while_loop(lambda number, y_hat: number < 3, body, (tf.constant(0), coder.zeros))[1]


@looping
class Cond(_Thirds):
    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        for number in range(3):
            y_hat = tf.cond(
                tf.shape(y_hat)[1] > 0, lambda n=number, y=y_hat: self.coded(coder, n, features, y), lambda y=y_hat: y
            )
        return y_hat


@looping
class MapFn(_Thirds):
    def walk(self, coder):
        features = self.features(coder)
        thirds = tf.map_fn(
            lambda number: self.coded(coder, number, features, coder.zeros),
            tf.range(3),
            fn_output_signature=tf.TensorSpec((None, None, None, self.latent_depth), tf.float32),
        )
        return tf.reduce_sum(thirds, 0)


@looping
class Function(_Thirds):
    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        for number in range(3):
            y_hat = tf.function(self.coded, autograph=False)(coder, number, features, y_hat)
        return y_hat


@looping
class LoopOverATensor(_Thirds):
    """A loop of Python over a tensor, which works eagerly and not in a graph."""

    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        for number in tf.range(3):
            y_hat = self.coded(coder, number, features, y_hat)
        return y_hat


@looping
class ConvertedLoop(_Thirds):
    """The same loop, which AutoGraph makes a loop of TensorFlow."""

    def walk(self, coder):
        return tf.autograph.to_graph(_converted)(self, coder, self.features(coder), coder.zeros)


def _converted(model, coder, features, y_hat):
    for number in tf.range(3):
        y_hat = model.coded(coder, number, features, y_hat)
    return y_hat


@looping
class BranchOnATensor(_Thirds):
    """A branch of Python on a tensor."""

    def walk(self, coder):
        features, y_hat = self.features(coder), coder.zeros
        for number in range(3):
            if tf.shape(y_hat)[1] > 0:
                y_hat = self.coded(coder, number, features, y_hat)
        return y_hat
