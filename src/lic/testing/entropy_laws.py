"""The laws of entropy models."""

from __future__ import annotations

import concurrent.futures
import os
import pickle
import subprocess
import sys
from collections.abc import Sequence

import numpy as np

from lic.complexity.complexity import count_graph
from lic.entropy.base import EntropyModel
from lic.entropy.coders import Record
from lic.entropy.orders import Order
from lic.environment import policy, tf
from lic.layers.tracing import snapshot_weights
from lic.testing.copies import fresh, holding, moved, require_same_variables
from lic.testing.laws import (
    Law,
    Trial,
    each,
    ends_if_broken,
    fail,
    require,
    require_gradients,
    require_near,
    require_same,
    slow,
)
from lic.testing.walks import Walked, Walks
from lic.weights import get_tensors, set_tensors

SIZES = ((1, 1), (1, 5), (4, 4), (3, 7))
LARGE_SIZES = ((9, 1), (26, 3), (8, 25))  # Narrow and upright, of mixed parity, and beyond 24 positions.
SPREADS = (3.0, 300.0, 1e6)  # Standard deviations of latents; the last one gives symbols that are clipped.
_CHANGE = 7.0  # This number is added to a part, to find the parts that it influences.


def check_entropy_model(entropy: EntropyModel, *, quick: bool = False) -> None:
    """Checks that an entropy model keeps every law of its kind; its weights stay as they are.

    Args:
      entropy: The entropy model; if it has no variables yet, a small latent makes them.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: `entropy` is no entropy model.
    """
    trial_of_entropy_model(entropy).check(quick=quick)


def trial_of_entropy_model(entropy: EntropyModel) -> Trial:
    """Returns the laws of an entropy model; see `check_entropy_model`."""
    if not isinstance(entropy, EntropyModel):
        raise ValueError(f"check_entropy_model: expected a lic.EntropyModel. Received: {type(entropy).__name__}.")
    entropy(tf.zeros((1, 4, 4, entropy.latent_depth)))
    return Trial(type(entropy).__name__, LAWS, entropy, during=lambda: moved(entropy))


@ends_if_broken
def a_graph_holds_the_walk(entropy: EntropyModel) -> None:
    """The walk can be traced for latents of any size, which codecs and training do, as well as run eagerly.

    Eagerly, loops and branches of TensorFlow run in Python, and a coder does not see them.
    """
    try:
        Walks(entropy).traced_estimate.get_concrete_function()
    except tf.errors.OperatorNotAllowedInGraphError:
        fail(
            "a loop or a branch of Python depends on a tensor, whose numbers a graph does not know. Loop over a number "
            "of parts that is fixed, and choose between tensors by tf.where"
        )


def parts_partition_the_latent(entropy: EntropyModel) -> None:
    """Every number of a latent is in exactly one part, and `put` undoes `take`."""
    walks = Walks(entropy)
    for where, (height, width) in each((*SIZES, *LARGE_SIZES)):
        shape = (1, height, width, entropy.latent_depth)
        numbers = tf.reshape(tf.range(np.prod(shape)), shape)
        parts = [record.part for record in walks.recorded(tf.zeros(shape))[0]]
        taken = np.concatenate([np.zeros(0, int), *(np.array(part.take(numbers)).ravel() for part in parts)])
        times = np.bincount(taken, minlength=np.prod(shape))
        for count, word in ((0, "never"), (2, "more than once")):
            wrong = np.flatnonzero((times == count) if count == 0 else (times >= count))
            if wrong.size:
                place = tuple(int(axis) for axis in np.unravel_index(wrong[0], shape))
                fail(f"{where}: {wrong.size} of {times.size} numbers are {word} in a part, the first at {place}")
        for part in parts:
            back = part.put(tf.zeros_like(numbers), part.take(numbers))
            kept = np.isin(np.array(numbers), np.array(part.take(numbers)))
            require_same(f"{where}: part {part.name!r}, put after take", back, np.where(kept, numbers, 0))


def estimating_encoding_and_decoding_are_equal_to_the_bit(entropy: EntropyModel) -> None:
    """The three walks give the same symbols, side information and y_hat, at minimal, odd and clipped latents."""
    walks = Walks(entropy)
    for spread in SPREADS:
        for where, size in each((*SIZES, *LARGE_SIZES) if spread == SPREADS[0] else SIZES):
            _require_equal_walks(f"{where}, latents to {spread:g}", walks, _latent(entropy, size, spread), False)


@slow
def they_are_equal_in_a_graph_that_was_traced_once(entropy: EntropyModel) -> None:
    """The three walks give the same results inside graphs, which are traced once for all sizes."""
    walks = Walks(entropy)
    for where, size in each(SIZES):
        _require_equal_walks(f"{where}, in a graph", walks, _latent(entropy, size), True)
        inside, outside = walks.traced_estimate(latent := _latent(entropy, size)), walks.estimate(latent)
        require_near(f"{where}: y_hat in a graph and eagerly", inside.y_hat, outside.y_hat, 1e-4)
        require_near(f"{where}: bits in a graph and eagerly", inside.bits, outside.bits, 1e-4)
    traces = walks.traced_encode.experimental_get_tracing_count()
    require(traces == 1, f"encoding was traced {traces} times for {len(SIZES)} sizes")


def no_part_depends_on_a_later_one(entropy: EntropyModel) -> None:
    """The offsets and cdf indexes of a part do not depend on the numbers of that part and of the parts after it.

    This also holds in training, or the network learns from numbers that it will not have.
    """
    walks, latent = Walks(entropy), _latent(entropy, (5, 6))
    for training in (False, True):
        records, sides = walks.recorded(latent, training=training)
        orders = [part.order for part, *_ in records if part.order]
        if orders:
            _require_order(walks, latent, sides, *orders)
            continue
        # The steps of `coder.serial` are many.
        for number in sorted({*np.linspace(0, len(records) - 1, 12).astype(int)}):
            part = records[number].part
            changed = part.put(latent, part.take(latent) + _CHANGE)
            replayed, _ = walks.recorded(changed, sides, training)
            for earlier, (before, after) in enumerate(list(zip(records, replayed))[: number + 1]):
                for what, one, other in zip(("offsets", "cdf indexes"), _parameters(before), _parameters(after)):
                    require_same(
                        f"{what} of part {earlier} ({before.part.name!r}) when part {number} "
                        f"({part.name!r}) changes by {_CHANGE:g}, with training={training}",
                        one,
                        other,
                    )


def _require_order(walks: Walks, latent: tf.Tensor, sides: Sequence[tf.Tensor], order: Order) -> None:
    """Requires that positions that training computes at once depend on positions of earlier steps only."""
    before = _parameters(_serial(walks.recorded(latent, sides, training=True)[0]))
    steps = order.steps(*latent.shape[1:3])
    changed = latent
    for number in reversed(range(int(steps.count))):  # From the last step on, one more of them changes each time.
        part = steps.part(number)
        changed = part.put(changed, part.take(latent) + _CHANGE)
        after = _parameters(_serial(walks.recorded(changed, sides, training=True)[0]))
        for earlier in range(number + 1):
            taken = steps.part(earlier).take
            for what, one, other in zip(("offsets", "cdf indexes"), before, after):
                require_same(
                    f"{what} of step {earlier} of the order {order.name!r} when step {number} and those after it "
                    f"change by {_CHANGE:g}, in training",
                    taken(one),
                    taken(other),
                )


def _serial(records: list[Record]) -> Record:
    return next(record for record in records if record.part.order)


def training_sees_what_coding_sees(entropy: EntropyModel) -> None:
    """Where training rounds, it has the parts and the distributions of coding, or it learns from other numbers.

    The law does not hold for `coder.serial`, where training sees latents that are rounded without their means.
    """
    walks, latent = Walks(entropy), _latent(entropy, (5, 6))
    coded, sides = walks.recorded(latent)
    trained, _ = walks.recorded(latent, sides, training=True)
    if any(part.order for part, *_ in trained):
        return
    require(len(coded) == len(trained), f"{len(trained)} parts in training, and {len(coded)} in coding")
    for number, (one, other) in enumerate(zip(coded, trained)):
        what = f"of part {number} ({one.part.name!r}) in training and in coding"
        (offsets, indexes), (in_training, indexes_in_training) = _parameters(one), _parameters(other)
        require_near(f"offsets {what}", in_training, offsets, 1e-3)
        # A rounded number has a last bit of its own in training, by which an index may come to lie beside.
        difference = np.abs(np.asarray(indexes_in_training) - np.asarray(indexes))
        if _mixture_size(one):  # One index beside changes most whole numbers of a mixture, so that few may differ.
            share = float((difference > 1).mean()) if difference.size else 0.0
            require(share <= 0.05, f"{share:.1%} of the whole numbers of mixtures {what} differ")
            continue
        require(difference.max(initial=0) <= 1, f"cdf indexes {what} differ by up to {difference.max()}")


def _parameters(record: Record) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns the offsets, and what the coder knows beside them [batch, rows, columns, ...]."""
    coded = record.distribution.coded_by()
    if _mixture_size(record):  # The whole numbers of a mixture are channels here.
        coded = tf.reshape(coded, (*coded.shape[:3], -1))
    return record.distribution.offset, coded


def _mixture_size(record: Record) -> int:
    likelihood = record.distribution.likelihood
    return likelihood.mixture_size if likelihood is not None else 0


def real_bits_are_near_the_estimate(entropy: EntropyModel) -> None:
    """Coded strings are as long as estimated, within 2 %."""
    walks = Walks(entropy)
    latent, sides = walks.drawn(24, 24)
    estimated = float(walks.estimate(latent, sides).bits)
    real = 8 * len(walks.encode(latent, sides).string.numpy())
    require(
        abs(real - estimated) <= 0.02 * estimated + 64,
        f"24x24, drawn from the model's own distributions: {real} bits were coded and {estimated:.0f} estimated "
        f"({real / estimated - 1:+.1%})",
    )


def all_bits_are_named_and_positive(entropy: EntropyModel) -> None:
    """The bits of each part have the shape [batch], and are finite and not negative."""
    latent = tf.concat([_latent(entropy, (4, 6), seed=seed) for seed in range(2)], 0)
    for name, bits in entropy(latent).bits.items():
        require(bits.shape == (2,), f"bits of {name!r} have shape {tuple(bits.shape)} for a batch of 2")
        require(bool(np.all(np.isfinite(bits) & (np.array(bits) >= 0))), f"bits of {name!r} are {np.array(bits)}")


def rounding_moves_nothing_by_more_than_a_step(entropy: EntropyModel) -> None:
    """y_hat differs from the latent by at most half a step, and by as much again with latent residual prediction."""
    for size in ((5, 7), (34, 27)):  # What is wrong in far rows or columns only is wrong alike in all three walks.
        latent = _latent(entropy, size)
        y_hat, coded = _quantised(entropy, latent)
        require(y_hat.shape == latent.shape, f"y_hat has shape {tuple(y_hat.shape)}, the latent {tuple(latent.shape)}")
        for what, difference in (("coded numbers are up to", coded - latent), ("y_hat is up to", y_hat - coded)):
            farthest = float(np.abs(difference).max())
            origin = "the latent" if what.startswith("coded") else "the coded numbers"
            where = f"{origin}, more than half a step, at {size[0]}x{size[1]}"
            require(farthest <= 0.5 + 1e-3, f"{what} {farthest:.3f} from {where}")


def a_number_is_moved_by_a_prediction_only(entropy: EntropyModel) -> None:
    """What is added to the coded numbers comes from weights: with other weights it is different."""
    latent = _latent(entropy, (5, 7))
    y_hat, coded = _quantised(entropy, latent)
    added = np.asarray(y_hat - coded)
    if np.abs(added).max() < 1e-3:
        return
    random = np.random.default_rng(0)
    other = {name: values + random.normal(0, 0.1, values.shape) for name, values in get_tensors(entropy).items()}
    with holding(entropy, other):
        y_hat, coded = _quantised(entropy, latent)
    difference = np.abs(np.asarray(y_hat - coded) - added).max()
    require(difference > 1e-4, f"up to {np.abs(added).max():.3f} is added to coded numbers, whatever the weights are")


def _quantised(entropy: EntropyModel, latent: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Returns y_hat, and the latent of the coded numbers."""
    walks = Walks(entropy)
    coded = tf.zeros_like(latent)
    for record in walks.recorded(latent)[0]:
        coded = record.part.put(coded, record.values)
    return walks.estimate(latent).y_hat, coded


def a_call_is_the_walk(entropy: EntropyModel) -> None:
    """A call gives the y_hat, the side information and the bits of the walk."""
    for where, size in each(SIZES[2:]):
        latent = _latent(entropy, size)
        walked, called = Walks(entropy).estimate(latent), entropy(latent)
        require_near(f"{where}: y_hat of the call and of the walk", called.y_hat, walked.y_hat, 1e-4)
        require((called.z_hat is None) == (walked.z_hat is None), f"{where}: only one of both has side information")
        if walked.z_hat is not None:
            require_near(f"{where}: z_hat of the call and of the walk", called.z_hat, walked.z_hat, 1e-4)
        bits = sum(float(each_part[0]) for each_part in called.bits.values())
        if entropy.likelihood_bound is None:
            require_near(f"{where}: bits of the call and of the walk", bits, walked.bits, 1e-4)


def gradients_reach_the_latent(entropy: EntropyModel) -> None:
    """In training, bits and y_hat have finite gradients for most numbers of the latent, so that an analysis learns."""
    latent = _latent(entropy, (6, 7))
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(latent)
        estimated = entropy(latent, training=True)
        targets = {"the bits": tf.add_n(list(estimated.bits.values())), "y_hat": estimated.y_hat}
    for what, target in targets.items():
        gradient = tape.gradient(target, latent)
        require(gradient is not None, f"{what} have no gradient for the latent")
        gradient = np.asarray(gradient)
        require(bool(np.isfinite(gradient).all()), f"a gradient of {what} is not finite")
        share = np.mean(gradient != 0)
        require(share > 0.5, f"{what} have a gradient for {share:.0%} of the latent's numbers, expected most")


def gradients_reach_every_variable(entropy: EntropyModel) -> None:
    """Rate and y_hat together depend on every trainable variable."""
    latent = tf.concat([_latent(entropy, (6, 7), seed=seed) for seed in range(2)], 0)
    before = entropy.quantization
    try:
        # Fresh weights may give side information that rounds to zero everywhere, which hides the layers behind it.
        entropy.quantization = "noise/noise"
        with tf.GradientTape() as tape:
            estimated = entropy(latent, training=True)
            loss = tf.reduce_sum(tf.add_n(list(estimated.bits.values()))) + tf.reduce_sum(estimated.y_hat**2)
    finally:
        entropy.quantization = before
    require_gradients(tape, loss, entropy)


def a_call_changes_no_variable(entropy: EntropyModel) -> None:
    """A call, in training or not, leaves variables as they are and makes none."""
    before = get_tensors(entropy)
    for training in (False, True):
        entropy(_latent(entropy, (3, 3)), training=training)
        require_same_variables(f"a call with training={training}", entropy, before, statistics=training)


def the_same_latent_gives_the_same_every_time(entropy: EntropyModel) -> None:
    """The result for a latent does not depend on the latents before it."""
    walks, latent = Walks(entropy), _latent(entropy, (4, 5))
    first = walks.encode(latent)
    walks.encode(_latent(entropy, (3, 11), seed=1))
    _require_same_walks("encoded before and after another latent", first, walks.encode(latent))
    require(first.string.numpy() == walks.encode(latent).string.numpy(), "the coded strings of one latent differ")


def images_of_a_batch_do_not_mix(entropy: EntropyModel) -> None:
    """An image's bits and y_hat do not depend on the others in its batch."""
    latents = [_latent(entropy, (5, 4), seed=seed) for seed in range(3)]
    together = entropy(tf.concat(latents, 0))
    for number, latent in enumerate(latents):
        alone = entropy(latent)
        # A batched product, and so a mean, may differ in a last bit. Another rounding would differ by a whole step.
        require_near(f"y_hat of image {number} of 3 and alone", together.y_hat[number], alone.y_hat[0], 1e-5)
        for part, bits in alone.bits.items():
            require_near(
                f"bits of {part!r} of image {number} of 3 and alone", together.bits[part][number], bits[0], 1e-4
            )


def configuration_and_weights_make_it_anew(entropy: EntropyModel) -> None:
    """The configuration and the weights make a copy that codes to the same symbols."""
    again, latent = fresh(entropy), _latent(entropy, (4, 5))
    again(latent)
    require(again.get_config() == entropy.get_config(), f"{again.get_config()} comes out of {entropy.get_config()}")
    set_tensors(again, get_tensors(entropy))
    _require_same_walks("made anew", Walks(entropy).encode(latent), Walks(again).encode(latent))


def it_stays_in_float32_under_mixed_precision(entropy: EntropyModel) -> None:
    """All layers compute in float32 under any policy, and code to the same symbols."""
    with policy("mixed_bfloat16"):
        again = fresh(entropy)
        estimated = again(tf.cast(_latent(entropy, (4, 4)), "bfloat16"))
    for name, tensor in {"y_hat": estimated.y_hat, **estimated.bits}.items():
        require(tensor.dtype == tf.float32, f"{name} is {tensor.dtype.name}")
    for layer in again._flatten_layers():
        require(layer.compute_dtype == "float32", f"the layer {layer.name!r} computes in {layer.compute_dtype}")
    set_tensors(again, get_tensors(entropy))
    latent = _latent(entropy, (4, 5))
    _require_same_walks(
        "made under mixed_bfloat16 and under float32", Walks(entropy).encode(latent), Walks(again).encode(latent)
    )


@slow
def another_process_codes_the_same(entropy: EntropyModel) -> None:
    """A process in which sets of strings have another order codes a latent to the same string.

    The law cannot be tried for a class that no other process can import, such as one of a notebook.
    """
    latent = _latent(entropy, (4, 5))
    try:
        given = pickle.dumps((type(entropy), entropy.get_config(), get_tensors(entropy), np.asarray(latent)))
    except (pickle.PicklingError, AttributeError, TypeError):
        return
    if type(entropy).__module__ == "__main__":
        return
    expected = Walks(entropy).encode(latent).string.numpy()
    paths = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", f"from {__name__} import _encode_elsewhere; _encode_elsewhere()"]

    def encoded(seed: str) -> subprocess.CompletedProcess:
        return subprocess.run(command, input=given, env=paths | {"PYTHONHASHSEED": seed}, capture_output=True)

    seeds = ("1", "2")
    with concurrent.futures.ThreadPoolExecutor() as pool:  # Most of the time they import TensorFlow.
        for seed, result in zip(seeds, pool.map(encoded, seeds)):
            require(result.returncode == 0, f"the process failed: {result.stderr[-1000:].decode(errors='replace')}")
            require(result.stdout == expected, f"with PYTHONHASHSEED={seed} it codes to another string")


def _encode_elsewhere() -> None:
    """Encodes the latent that another process has written to the standard input."""
    maker, config, tensors, latent = pickle.load(sys.stdin.buffer)
    entropy = maker.from_config(config)
    entropy(latent)
    set_tensors(entropy, tensors)
    sys.stdout.buffer.write(Walks(entropy).encode(tf.constant(latent)).string.numpy())


@slow
def cost_grows_no_faster_than_positions(entropy: EntropyModel) -> None:
    """Multiply-accumulates of 16 times as many positions are at most 17 times as many."""
    # A snapshot keeps operations on weights out of the graph, since their cost does not depend on positions.
    with snapshot_weights({}):
        graph = Walks(entropy).traced_estimate.get_concrete_function().graph
    small, large = (count_graph(graph, [1, side, side, entropy.latent_depth]).total() for side in (16, 64))
    require(large <= 17 * small, f"64x64 positions take {large} multiply-accumulates and 16x16 take {small}")


LAWS: tuple[Law, ...] = (
    a_graph_holds_the_walk,
    parts_partition_the_latent,
    estimating_encoding_and_decoding_are_equal_to_the_bit,
    they_are_equal_in_a_graph_that_was_traced_once,
    no_part_depends_on_a_later_one,
    training_sees_what_coding_sees,
    real_bits_are_near_the_estimate,
    all_bits_are_named_and_positive,
    rounding_moves_nothing_by_more_than_a_step,
    a_number_is_moved_by_a_prediction_only,
    a_call_is_the_walk,
    gradients_reach_the_latent,
    gradients_reach_every_variable,
    a_call_changes_no_variable,
    the_same_latent_gives_the_same_every_time,
    images_of_a_batch_do_not_mix,
    configuration_and_weights_make_it_anew,
    it_stays_in_float32_under_mixed_precision,
    another_process_codes_the_same,
    cost_grows_no_faster_than_positions,
)


def _latent(entropy: EntropyModel, size: tuple[int, int], spread: float = 3.0, seed: int = 0) -> tf.Tensor:
    shape = (1, *size, entropy.latent_depth)
    return tf.constant(np.random.default_rng(seed).normal(0, spread, shape), tf.float32)


def _require_equal_walks(where: str, walks: Walks, latent: tf.Tensor, traced: bool) -> None:
    names = ("estimate", "encode", "decode")
    estimate, encode, decode = (getattr(walks, f"traced_{name}" if traced else name) for name in names)
    encoded = encode(latent)
    decoded = decode(encoded.string, tf.zeros_like(latent))
    _require_same_walks(f"{where}, encoded and decoded", encoded, decoded)
    _require_same_walks(f"{where}, estimated and encoded", estimate(latent), encoded)


def _require_same_walks(where: str, first: Walked, second: Walked) -> None:
    names = [name for name in ("symbols", "z_hat", "y_hat") if name != "symbols" or first.symbols is not None]
    for name in names:
        require_same(f"{where}: {name}", getattr(first, name), getattr(second, name))
