"""Measures the bits that the tables of each likelihood cost over exact probabilities, on a photograph's latent.

    python benchmarks/bench_likelihoods.py

The latent is that of the codec `default` for the photograph that ships. Means and standard deviations are those that
its entropy model predicts, so that each likelihood codes the same numbers with the same deviations. Shapes that are
learnt are fitted to them first. A mixture is of three normals with these means, of half, once and twice the deviation.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Sequence

import numpy as np
from document import table
from results import Row

import lic
from lic.entropy import CdfTables, Estimate, Likelihood, NormalMixture, Record, Recorder
from lic.entropy.range_coding.cdf_tables import Cdfs
from lic.entropy.range_coding.numba_coder import cumulative_counts
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
    """Returns the parts of the photograph's latent as `default` codes them, and the latent."""
    model = lic.load("default").model
    qualities = model.rate.qualities(tf.constant(1)) if quality is None else tf.constant([quality])
    image = tf.constant(sample_image()[None], "float32")
    latent = model.rate.apply_gain(model.analyse(image), qualities)
    recorder = Recorder(Estimate(latent))
    model.walk(recorder, qualities)
    return recorder.records, latent


def measure(likelihood: Likelihood, found: Sequence[Record], latent: tf.Tensor) -> Row:
    """Returns the row of a likelihood of means and scales."""
    if likelihood.channels:
        fit(likelihood, found, latent)
    tables, bits = CdfTables.make({"likelihood": likelihood}), np.zeros(3)
    for record in found:
        made = distribution(likelihood, record, latent)
        symbols = tf.round(made.centre(record.part.take(latent)))
        bits[:2] += [tf.reduce_sum(tf.cast(each.bits(symbols), "float64")) for each in (made, made.as_coded())]
        bits[2] += coded_bits(tables, tables.cdfs(record.part.name, made), symbols)
    exact, rounded, coded = bits
    shares = {"rounding": rounded - exact, "counts": coded - rounded, "all": coded - exact}
    percent = {name: f"{100 * each / exact:+.3f}" for name, each in shares.items()}
    name = lic.registry.likelihoods.name_of(type(likelihood))
    return {"likelihood": name, "exact": f"{exact:,.0f}", **percent, "numbers": f"{len(tables.counts):,}"}


def coded_bits(tables: CdfTables, cdfs: Cdfs, symbols: tf.Tensor) -> float:
    """Returns the bits of symbols by the coder's counts."""
    first, length = map(np.asarray, cdfs.first_and_length(tables.cdf_offset, tables.cdf_length))
    values = np.asarray(symbols, np.int64) - first
    escaped = (values < 0) | (values >= length)
    values = np.where(escaped, length, values)
    if cdfs.mixtures is None:
        place = tables.starts()[np.asarray(cdfs.index)] + values
        counts = tables.cdf[place + 1] - tables.cdf[place]
    else:
        ends = np.ravel(values)[:, None] + [0, 1]
        counts = np.diff(cumulative_counts(cdfs.flat().mixtures, tf.constant(ends, tf.int32)))
    return float((16 - np.log2(counts)).sum() + 16 * escaped.sum())


def distribution(likelihood: Likelihood, record: Record, latent: tf.Tensor) -> lic.Distribution:
    """Returns the distribution of a likelihood that has the means and deviations of a recorded normal one."""
    normal = record.distribution
    if isinstance(likelihood, NormalMixture):
        indexes = [normal.index + math.log(factor) / likelihood.scales.log_step for factor in (0.5, 1, 2)]
        means = [normal.offset] * 3
        return likelihood(tf.concat([tf.zeros_like(each) for each in means] + means + indexes, -1))
    scale = normal.likelihood.scales.scale_at(normal.index) / likelihood.deviation
    index = tf.math.log(scale / likelihood.scales.lowest) / likelihood.scales.log_step
    return likelihood.of(normal.offset, index).in_part(record.part, tf.zeros_like(latent))


def fit(likelihood: Likelihood, found: Sequence[Record], latent: tf.Tensor, steps: int = 100) -> None:
    """Fits the learnt shapes to the numbers, by steps of Adam."""
    optimizer, (weights,) = lic.Adam(0.03), likelihood.trainable_weights
    optimizer.build([weights])
    for _ in range(steps):
        with tf.GradientTape() as tape:
            made = [(distribution(likelihood, record, latent), record.part.take(latent)) for record in found]
            bits = tf.add_n([tf.reduce_sum(each.bits(tf.round(each.centre(values)))) for each, values in made])
        optimizer.apply_gradients([(tape.gradient(bits, weights), weights)])


def main(arguments: Sequence[str] | None = None) -> None:
    """Prints a table of all registered likelihoods."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quality", type=float, help="the quality of `default`; default: the middle one")
    found, latent = records(parser.parse_args(arguments).quality)
    rows = []
    for name in lic.list_likelihoods():
        maker = lic.registry.likelihoods.get(name)
        likelihood = maker(latent.shape[-1]) if "latent_depth" in lic.config.constructor_arguments(maker) else maker()
        rows.append(measure(likelihood, found, latent))
    print(table(rows, SHOWN))


if __name__ == "__main__":
    main()
