"""Streams that a search finds which is guided by coverage: `make fuzz`, or by hand with libFuzzer's options.

    pip install atheris
    LIC_CODER=numba NUMBA_DISABLE_JIT=1 python -m tests.codec.fuzz_guided -max_total_time=600 CORPUS

CORPUS is a folder; what is found there is the start of the search, and what widens it is added.

Format, checks and the range decoder itself are watched, the latter as it is in Python without numba's compiler. Half of
the streams that libFuzzer makes get a checksum and a fingerprint that fit, or no search would come past them.
"""

import importlib
import pathlib
import sys

import atheris

WATCHED = (
    "lic.codec.bitstream",
    "lic.codec.codec",
    "lic.entropy.range_coding.numba_coder",
    "lic.entropy.range_coding.range_coder",
)
with atheris.instrument_imports(include=list(WATCHED)):
    for name in WATCHED:
        importlib.import_module(name)

import lic  # noqa: E402
from lic.codec.bitstream import MAGIC  # noqa: E402
from tests.codec.fuzz import Target, mend  # noqa: E402
from tests.conftest import tiny_model  # noqa: E402


def fitting(codec):
    """Returns libFuzzer's mutation, after which half of the streams have a start and an end that fit."""

    def mutate(stream, max_size, seed):
        stream = atheris.Mutate(stream, max_size)
        if seed % 2 or len(stream) < 20:
            return stream
        return mend(MAGIC + stream[4:6] + codec.fingerprint + stream[10:])

    return mutate


def main():
    target = Target(lic.Codec(tiny_model("klt", "checkerboard", residual=False)))
    atheris.Setup(sys.argv, target.outcome, custom_mutator=fitting(target.codec))
    corpus = pathlib.Path(sys.argv[-1])
    corpus.mkdir(parents=True, exist_ok=True)
    for number, stream in enumerate(target.streams):
        (corpus / f"right-{number}.lic").write_bytes(stream)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
