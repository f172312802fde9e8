"""The laws of likelihoods."""

from __future__ import annotations

import numpy as np

from lic.entropy.distributions.base import Likelihood
from lic.entropy.range_coding.cdf_tables import LIMIT, LONGEST_PMF, TOTAL, CdfTables, to_counts
from lic.entropy.range_coding.fixed_point import FIRST, LENGTH, NORMALS, WEIGHT_BITS
from lic.environment import keras, tf
from lic.testing.laws import Law, Trial, fail, require, require_near, require_same

CHANNELS = 6
SPREADS = (1.0, 30.0)
_FAR = (0.0, 0.5, -0.5, 3.0, -40.0, 1e3, float(LIMIT), -float(LIMIT))


def check_likelihood(likelihood: Likelihood, *, quick: bool = False) -> None:
    """Checks that a likelihood keeps every law of its kind.

    Args:
      likelihood: The likelihood.
      quick: Whether laws that take long are left out.

    Raises:
      LawError: An AssertionError that names each law that is broken, where, and the numbers.
      ValueError: `likelihood` is no likelihood.
    """
    trial_of_likelihood(likelihood).check(quick=quick)


def trial_of_likelihood(likelihood: Likelihood) -> Trial:
    """Returns the laws of a likelihood; see `check_likelihood`."""
    if not isinstance(likelihood, Likelihood):
        raise ValueError(f"check_likelihood: expected a lic.Likelihood. Received: {type(likelihood).__name__}.")
    return Trial(type(likelihood).__name__, LAWS, likelihood)


def a_distribution_has_the_shape_of_its_numbers(likelihood: Likelihood) -> None:
    """Parameters [n, h, w, parameters x channels] make the distribution of numbers [n, h, w, channels]."""
    for shape in ((1, 1, 1, 1), (2, 3, 4, CHANNELS), (1, 1, 0, 2)):
        shape = (*shape[:3], likelihood.channels or shape[3])
        distribution = likelihood(_parameters(likelihood, shape))
        require(
            distribution.shape.is_compatible_with(shape),
            f"parameters for numbers of shape {shape} make a distribution of shape {distribution.shape}",
        )
        bits = distribution.bits(tf.zeros(shape))
        require(bits.shape == shape, f"bits of numbers of shape {shape} have the shape {tuple(bits.shape)}")
        if likelihood.mixture_size:
            found, expected = distribution.mixtures().shape, (*shape, likelihood.mixture_size)
            require(found == expected, f"mixtures have the shape {found}, expected {expected}")
            continue
        index = distribution.pmf_index()
        require(index.dtype == tf.int32, f"pmf_index is {index.dtype.name}, expected int32")
        outside = np.flatnonzero((np.ravel(index) < 0) | (np.ravel(index) >= likelihood.num_pmfs))
        require(not outside.size, f"{outside.size} of its cdf indexes are not in 0..{likelihood.num_pmfs - 1}")


def bits_are_those_of_the_counts(likelihood: Likelihood) -> None:
    """The bits of a coded mixture are the logarithms of the coder's counts, which sum to 65536."""
    if not likelihood.mixture_size:
        return
    from lic.entropy.range_coding.numba_coder import symbol_counts  # Other likelihoods need no numba.

    shape, symbols = (1, 6, 6, _channels(likelihood)), (-2, -1, 0, 1)
    for spread in SPREADS:
        distribution = likelihood(_parameters(likelihood, shape, spread)).as_coded()
        mixtures = np.asarray(distribution.mixtures())
        counts = np.asarray(symbol_counts(tf.constant(mixtures), symbols[0], len(symbols)))
        require_same("the sums of counts and 65536", counts.sum(-1), np.full(shape, TOTAL))
        weights = mixtures[..., NORMALS::3].sum(-1)
        require_same("the sums of weights and 65536", weights, np.full(shape, 1 << WEIGHT_BITS))
        first, length = mixtures[..., FIRST], mixtures[..., LENGTH]
        require(
            bool(((length >= 1) & (length <= LONGEST_PMF) & (first >= -LIMIT) & (first + length <= LIMIT + 1)).all()),
            f"the symbols of a mixture are not 1 to {LONGEST_PMF} of those within +-{LIMIT}",
        )
        for symbol, found in zip(symbols, np.moveaxis(counts, -1, 0)):
            probability = 2.0 ** -np.asarray(distribution.bits(tf.fill(shape, float(symbol))), np.float64)
            # Every symbol of a cdf has one count for itself; the others are shared out by probability.
            inside = (symbol >= first) & (symbol < first + length)
            expected = np.where(inside, probability * (TOTAL - length - 1) + 1, 0)
            wrong = np.abs(found - expected) > 2 + 1e-3 * expected
            if wrong.any():
                place = tuple(np.argwhere(wrong)[0])
                fail(f"symbol {symbol} has {found[place]} counts, and {expected[place]:.1f} by `bits`")


def bits_are_those_of_the_tables(likelihood: Likelihood) -> None:
    """The bits of a coded distribution are the logarithms of the probabilities in the tables."""
    if likelihood.mixture_size:
        return
    shape = (1, 8, 8, _channels(likelihood))
    for spread in SPREADS:
        distribution = likelihood(_parameters(likelihood, shape, spread)).as_coded()
        indexes = np.ravel(np.broadcast_to(distribution.pmf_index(), shape))
        pmfs = list(likelihood.pmfs())
        for steps in (0, 1, -2):
            bits = np.ravel(distribution.bits(tf.fill(shape, float(steps))))
            for place, index in enumerate(indexes):
                first, probabilities = pmfs[index]
                if not first <= steps < first + len(probabilities) - 1:
                    continue
                expected = -np.log2(max(probabilities[steps - first], 1e-300))
                # A symbol that is less probable than the least count costs the bits of that count.
                if expected < np.log2(TOTAL) and abs(bits[place] - expected) > 2e-3 * expected + 1e-3:
                    fail(f"symbol {steps} costs {bits[place]:.5f} bits by `bits` and {expected:.5f} by the pmf {index}")


def bits_between_integers_lie_on_straight_lines(likelihood: Likelihood) -> None:
    """`bits_between_integers` are the bits of integers, and between two of them they are on the straight line."""
    shape = (1, 4, 4, _channels(likelihood))
    for spread in SPREADS:
        distribution = likelihood(_parameters(likelihood, shape, spread)).as_coded()
        for below, share in ((0, 0.0), (3, 0.0), (-2, 0.0), (0, 0.5), (-1, 0.25), (7, 0.9)):
            low, high = (np.asarray(distribution.bits(tf.fill(shape, float(below + step)))) for step in (0, 1))
            found = distribution.bits_between_integers(tf.fill(shape, below + share))
            expected = (1 - share) * low + share * high
            require_near(f"bits at {below + share:g} and those on the line", found, expected, 1e-3)


def probabilities_sum_to_one(likelihood: Likelihood) -> None:
    """Each pmf sums to one with its escape, and so do the probabilities of all symbols by `bits`."""
    for index, (_, probabilities) in enumerate(likelihood.pmfs()):
        total = float(np.sum(probabilities))
        require(abs(total - 1) < 1e-6, f"the probabilities of pmf {index} sum to {total:.8f}")
        require(bool(np.all(probabilities >= 0)), f"pmf {index} has a negative probability")
    channels = _channels(likelihood)
    parameters, total = _parameters(likelihood, (1, 1, 1, channels)), np.zeros(channels)
    for symbols in np.array_split(np.arange(-LIMIT, LIMIT + 1, dtype=np.float32), 16):
        values = tf.constant(np.repeat(symbols[None, None, :, None], channels, -1))
        bits = likelihood(tf.repeat(parameters, len(symbols), 2)).bits(values)
        total += np.sum(2.0 ** -np.asarray(bits, np.float64), (0, 1, 2))
    require_near("the sum of the probabilities of all symbols and one", total, np.ones(channels), 1e-3)


def gradients_are_finite_far_out(likelihood: Likelihood) -> None:
    """Bits and their gradients for numbers and parameters are finite, even for extreme parameters and numbers."""
    channels, weights = _channels(likelihood), list(getattr(likelihood, "trainable_weights", ()))
    for spread in (1.0, 100.0, 1e6):
        parameters = _parameters(likelihood, (1, 1, len(_FAR), channels), spread)
        values = tf.constant(np.repeat(np.array(_FAR, np.float32)[:, None], channels, 1)[None, None])
        with tf.GradientTape() as tape:
            tape.watch([values, parameters])
            bits = likelihood(parameters).bits(values)
        require(bool(np.all(np.isfinite(bits))), f"bits are not finite for parameters to {spread:g}")
        require(bool(np.all(np.asarray(bits) > -1e-3)), f"bits are negative ({np.min(bits):.4f}) at {spread:g}")
        names = ["numbers", "parameters", *(f"the weight {weight.name!r}" for weight in weights)]
        for name, gradient in zip(names, tape.gradient(bits, [values, parameters, *weights])):
            if gradient is not None:
                finite = bool(np.all(np.isfinite(gradient)))
                require(finite, f"gradients of bits for {name} are not finite for parameters to {spread:g}")


def coding_rounds_to_a_distribution_of_the_tables(likelihood: Likelihood) -> None:
    """`as_coded` keeps offset and cdf index, and is its own coded form."""
    shape = (1, 3, 4, _channels(likelihood))
    distribution = likelihood(_parameters(likelihood, shape, 10.0))
    coded = distribution.as_coded()
    require_same("offset before and after as_coded", distribution.offset, coded.offset)
    require_same("cdfs before and after as_coded", distribution.coded_by(), coded.coded_by())
    values = tf.random.stateless_normal(shape, (1, 2), stddev=5.0)
    require_same("bits of as_coded once and twice", coded.bits(values), coded.as_coded().bits(values))
    require_near("values after centre and restore", coded.restore(coded.centre(values)), values, 1e-5)


def tables_are_deterministic(likelihood: Likelihood) -> None:
    """Two equal likelihoods make the same tables, and the tables are valid."""
    again = type(likelihood).from_config(likelihood.get_config())
    if isinstance(likelihood, keras.layers.Layer):  # One that learns equals itself only.
        again.set_weights(likelihood.get_weights())
    else:
        require(again == likelihood, "what get_config returns makes another likelihood")
        require(hash(again) == hash(likelihood), "two equal likelihoods have different hashes")
    for index, (one, other) in enumerate(zip(likelihood.pmfs(), again.pmfs(), strict=True)):
        require(one[0] == other[0], f"the first symbol of pmf {index} differs from time to time")
        require_same(f"pmf {index} from time to time", to_counts(one[1]), to_counts(other[1]))
    tables = CdfTables.make({"likelihood": likelihood})
    require(
        tables.sources == (("likelihood", likelihood.num_pmfs),),
        f"num_pmfs is {likelihood.num_pmfs}, and pmfs returns {tables.sources[0][1]}",
    )
    CdfTables.from_arrays(tables.arrays(), tables.described(), {"likelihood": likelihood})


def start_gives_parameters_of_the_right_spread(likelihood: Likelihood) -> None:
    """`start` gives parameters for every channel, of distributions that are as wide as it was asked for."""
    channels = _channels(likelihood)
    deviations = np.geomspace(0.3, 50, channels)
    start = np.asarray(likelihood.start(deviations))
    require(
        start.shape == (likelihood.parameters * channels,),
        f"start returns the shape {start.shape} for {channels} channels of {likelihood.parameters} parameters",
    )
    distribution = likelihood(tf.constant(start[None, None, None], tf.float32))
    zeros = tf.zeros((1, 1, 1, channels))
    require_near("the offsets that start gives", distribution.restore(zeros), zeros, 1e-5)
    bits = np.ravel(distribution.bits(zeros))
    # Small deviations may all have the lowest scale of a table.
    rises = bool(np.all(np.diff(bits) > -1e-3)) and bits[-1] > bits[0] + 1
    require(rises, f"a zero costs {np.round(bits, 3)} bits as deviations rise")
    if likelihood.mixture_size:  # Its distributions may start at several scales, of which the widest decide.
        return
    deviations, steps = np.geomspace(2, 20, channels), np.arange(-1024, 1025)
    start = tf.constant(likelihood.start(deviations), tf.float32)
    values = tf.constant(np.repeat(steps[None, None, :, None], channels, -1), tf.float32)
    bits = likelihood(tf.repeat(start[None, None, None], len(steps), 2)).bits(values)
    found = np.sqrt(np.sum(2.0 ** -np.asarray(bits, np.float64) * steps[:, None] ** 2, (0, 1, 2)))
    # A table of scales may end before some of the deviations.
    require(
        bool(np.any(np.maximum(found / deviations, deviations / found) <= 1.25)),
        f"distributions have the standard deviations {np.round(found, 2)} where start was given "
        f"{np.round(deviations, 2)}, so that none is right by a factor of 1.25; is `deviation` wrong?",
    )


LAWS: tuple[Law, ...] = (
    a_distribution_has_the_shape_of_its_numbers,
    bits_are_those_of_the_tables,
    bits_are_those_of_the_counts,
    bits_between_integers_lie_on_straight_lines,
    probabilities_sum_to_one,
    gradients_are_finite_far_out,
    coding_rounds_to_a_distribution_of_the_tables,
    tables_are_deterministic,
    start_gives_parameters_of_the_right_spread,
)


def _channels(likelihood: Likelihood) -> int:
    return likelihood.channels or CHANNELS


def _parameters(likelihood: Likelihood, shape: tuple[int, ...], spread: float = 3.0) -> tf.Tensor:
    """Returns random parameters around the initial ones."""
    batch, height, width, channels = shape
    start = np.asarray(likelihood.start(np.geomspace(0.5, 4.0, channels)), np.float32)
    noise = np.random.default_rng(0).normal(0, spread, (batch, height, width, likelihood.parameters * channels))
    return tf.constant(start + noise, tf.float32)
