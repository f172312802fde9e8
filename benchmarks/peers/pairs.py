"""Pairs of a published system in its authors' code and in ours, and the ratios of their measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from compare import steady
from results import COLUMNS, Row

PEER_COLUMNS = ("code", "peer", *COLUMNS)
COMPARED = ("start-up", "compress", "decompress", "training step")
SHOWN = ("peer", "ours", "quantity", "size", "theirs", "lic", "ratio")


class Pair(NamedTuple):
    """A published system: CompressAI's at its quality 4, others at the widths of their papers.

    Attributes:
      peer: The name of the system in `run_pytorch.py`.
      model: Our name of the system, which gets the same weights.
      in_compressai: Whether CompressAI has it; else a clone of the authors' repository is needed.
    """

    peer: str
    model: str
    in_compressai: bool = True


PAIRS = (
    Pair("bmshj2018-factorized", "compressai-bmshj2018-factorized"),
    Pair("bmshj2018-hyperprior", "compressai-bmshj2018-hyperprior"),
    Pair("mbt2018-mean", "compressai-mbt2018-mean"),
    Pair("mbt2018", "mbt2018"),
    Pair("cheng2020-anchor", "cheng2020-anchor"),
    Pair("cheng2020-attn", "cheng2020-attn"),
    Pair("elic2022", "elic2022"),
    *(Pair(name, name, in_compressai=False) for name in ("wacnn", "stf", "tcm", "mlicpp", "dcae", "hpcm")),
)

FORMS = {"tcm": "tcm (small)"}  # The form that is compared, where a system has several.


def ratios(rows: Sequence[Row]) -> list[Row]:
    """Returns one row for each quantity that was measured on both sides; the last result of each counts.

    Args:
      rows: Rows of `PEER_COLUMNS`.
    """
    found = {(row["peer"], row["quantity"], row["size"], row["code"].startswith("lic")): row for row in rows}
    return [
        _ratio(ours, found[(*what, False)])
        for pair in PAIRS
        for name in COMPARED
        for (*what, is_ours), ours in found.items()
        if is_ours and what[:2] == [pair.peer, name] and (*what, False) in found
    ]


def _ratio(ours: Row, theirs: Row) -> Row:
    ratio = float(theirs["median"]) / float(ours["median"])
    return {
        "peer": FORMS.get(ours["peer"], ours["peer"]),
        "ours": FORMS.get(ours["model"], ours["model"]),
        "quantity": ours["quantity"],
        "size": ours["size"],
        "theirs": theirs["median"],
        "lic": ours["median"],
        "ratio": f"{ratio:.2f}" + (" (slower)" if ratio < 1 else "") + _doubt(ours, theirs),
    }


def _doubt(*rows: Row) -> str:
    """Returns a mark if the machine was not about as fast throughout, or else nothing."""
    rates = sorted(float(row[name]) for row in rows for name in ("rate_before", "rate_after"))
    return "" if steady({"rate_before": str(rates[0]), "rate_after": str(rates[-1])}) else " (unsteady)"


def slower(rows: Sequence[Row]) -> str:
    """Returns a sentence that names the quantities in which ours is slower, from the result of `ratios`."""
    found = [f"{row['quantity']} of {row['peer']}" for row in rows if "slower" in row["ratio"]]
    return f"lic is slower in: {', '.join(found)}." if found else "lic is slower in none of these."
