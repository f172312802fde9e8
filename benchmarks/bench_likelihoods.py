"""Measures the bits that the tables of each likelihood cost over exact probabilities, on a photograph's latent.

    python benchmarks/bench_likelihoods.py

The latent is that of the codec `default` for the photograph that ships. Means and standard deviations are those that
its entropy model predicts, so that each likelihood codes the same numbers with the same deviations. Shapes that are
learnt are fitted to them first.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence

import numpy as np
from document import table
from results import Row

import lic
from lic.entropy import CdfTables, Estimate, Likelihood, Record, Recorder
from lic.environment import tf
from lic.images import sample_image

SHOWN = {
    "likelihood": "likelihood",
    "exact": "exact, bits",
    "rounding": "scales and shapes rounded, %",
    "counts": "counts of 1 / 65536, %",
    "all": "tables in all, %",
    "numbers": "numbers in the tables",
}


def records(quality: float | None = None) -> tuple[list[Record], tf.Tensor]:
    """Returns the parts of the photograph's latent as `default` codes them, and a latent of zeros."""
    model = lic.load("default").model
    qualities = model.rate.qualities(tf.constant(1)) if quality is None else tf.constant([quality])
    image = tf.constant(sample_image()[None], "float32")
    estimate = Estimate(model.rate.apply_gain(model.analyse(image), qualities))
    recorder = Recorder(estimate)
    model.walk(recorder, qualities)
    return recorder.records, estimate.zeros


def measure(likelihood: Likelihood, found: Sequence[Record], zeros: tf.Tensor) -> Row:
    """Returns the row of a likelihood of means and scales."""
    if likelihood.channels:
        fit(likelihood, found, zeros)
    tables, bits = CdfTables.make({"likelihood": likelihood}), np.zeros(3)
    counts = np.split(tables.counts, np.cumsum(tables.cdf_length[:-1] + 1))
    costs = [16 - np.log2(each) for each in counts]
    for record in found:
        made = distribution(likelihood, record, zeros)
        symbols = tf.round(made.centre(record.values))
        bits[:2] += [tf.reduce_sum(tf.cast(each.bits(symbols), "float64")) for each in (made, made.as_coded())]
        index = np.ravel(tables.cdf_index(record.part.name, made))
        length, place = tables.cdf_length[index], np.ravel(symbols) - tables.cdf_offset[index]
        escaped = (place < 0) | (place >= length)
        place = np.where(escaped, length, place).astype(int)
        bits[2] += sum(costs[row][each] for row, each in zip(index, place)) + 16 * escaped.sum()
    exact, rounded, coded = bits
    shares = {"rounding": rounded - exact, "counts": coded - rounded, "all": coded - exact}
    percent = {name: f"{100 * each / exact:+.3f}" for name, each in shares.items()}
    name = lic.registry.likelihoods.name_of(type(likelihood))
    return {"likelihood": name, "exact": f"{exact:,.0f}", **percent, "numbers": f"{len(tables.counts):,}"}


def distribution(likelihood: Likelihood, record: Record, zeros: tf.Tensor) -> lic.Distribution:
    """Returns the distribution of a likelihood that has the means and deviations of a recorded normal one."""
    normal = record.distribution
    scale = normal.likelihood.scales.scale_at(normal.index) / likelihood.deviation
    index = tf.math.log(scale / likelihood.scales.lowest) / likelihood.scales.log_step
    return likelihood.of(normal.offset, index).in_part(record.part, zeros)


def fit(likelihood: Likelihood, found: Sequence[Record], zeros: tf.Tensor, steps: int = 100) -> None:
    """Fits the learnt shapes to the numbers, by steps of Adam."""
    optimizer, (weights,) = lic.Adam(0.03), likelihood.trainable_weights
    optimizer.build([weights])
    for _ in range(steps):
        with tf.GradientTape() as tape:
            made = [(distribution(likelihood, record, zeros), record.values) for record in found]
            bits = tf.add_n([tf.reduce_sum(each.bits(tf.round(each.centre(values)))) for each, values in made])
        optimizer.apply_gradients([(tape.gradient(bits, weights), weights)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of all registered likelihoods."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", type=float, help="the quality of `default`; default: the middle one")
    found, zeros = records(parser.parse_args(arguments).quality)
    rows = []
    for name in lic.list_likelihoods():
        maker = lic.registry.likelihoods.get(name)
        likelihood = maker(zeros.shape[-1]) if "latent_depth" in lic.config.constructor_arguments(maker) else maker()
        rows.append(measure(likelihood, found, zeros))
    print(table(rows, SHOWN))


if __name__ == "__main__":
    main()
