"""Pairs of a model of CompressAI and one of ours, and the ratios of their measurements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from compare import steady
from results import COLUMNS, Row

PEER_COLUMNS = ("code", "peer", *COLUMNS)
COMPARED = ("start-up", "compress", "decompress", "training step")
SHOWN = ("peer", "ours", "quantity", "size", "CompressAI", "lic", "ratio")
_HYPER = {
    "width": 128,
    "latent_depth": 192,
    "outer_width": 128,
    "hyper_width": 128,
    "side_depth": 128,
    "kernel_form": "plain",
}


class Pair(NamedTuple):
    """A model of CompressAI at its quality 4, and ours.

    Attributes:
      peer: CompressAI's name of the model.
      model: Our model, or mix of parts.
      sizes: Sizes that make ours as wide as the peer.
      equal: Whether both are the same network but for GDN, factorized prior and one bias; else ours is the nearest.
    """

    peer: str
    model: str
    sizes: Mapping[str, Any] = {}
    equal: bool = True


PAIRS = (
    Pair("bmshj2018-factorized", "conv+factorized", {"width": 128, "latent_depth": 192}),
    Pair("bmshj2018-hyperprior", "bmshj2018-hyperprior", {**_HYPER, "features": 192}),
    Pair("mbt2018-mean", "mbt2018-mean", {**_HYPER, "hyper_synthesis_widths": (192, 288), "features": 384}),
    Pair("mbt2018", "mbt2018"),
    Pair("cheng2020-anchor", "hzswq2021", equal=False),
)


def pair_of(peer: str) -> Pair:
    """Returns the pair of a model of CompressAI."""
    return next(pair for pair in PAIRS if pair.peer == peer)


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
    pair = pair_of(ours["peer"])
    ratio = float(theirs["median"]) / float(ours["median"])
    return {
        "peer": pair.peer,
        "ours": ours["model"] if pair.equal else f"no equal; nearest: {ours['model']}",
        "quantity": ours["quantity"],
        "size": ours["size"],
        "CompressAI": theirs["median"],
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
