"""Which samples the gallery shows, and their pictures."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.datasets.pair_shards import PairShards
from albedo_pipeline.datasets.prediction_shards import PredictionShards
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.reporting.images import (
    error_of,
    error_picture,
    hatched,
    png_uri,
    shown_side,
    shrunk,
    shrunk_mask,
)
from albedo_pipeline.reporting.words import MODEL, label, measured

RANKED_BY = "psnr"
PICTURE_BUDGET = 12_000_000
"""Bytes that the gallery's pictures may take: the report stays below 15 MB."""

_NOT_METRICS = ("sample_id", "group", "split", "method")


@dataclass(frozen=True)
class Card:
    """One sample of the gallery; the pictures are data URIs."""

    sample_id: str
    group: str
    place: str
    """`best`, `median`, `worst`, or which of how many."""
    marked: bool
    """Whether `place` is one of the three words."""
    scores: list[tuple[str, str]]
    """(metric, value with its unit) of the model for this sample."""
    beauty: str
    prediction: str
    truth: str
    error: str
    mean_error: str
    """Mean absolute sRGB difference over the valid pixels."""


@dataclass(frozen=True)
class Gallery:
    """The cards from best to worst, and what they were chosen from."""

    cards: list[Card]
    scored: int
    unscored: list[str]
    """Samples whose metric is not a number; not shown."""
    stored_side: int
    shown_side: int


def ranked(per_sample: pd.DataFrame, split: str) -> pd.DataFrame:
    """The model's rows of one split, best PSNR first, then by sample_id; NaN last.

    Raises:
        ProjectError: where the table has no PSNR.
    """
    if RANKED_BY not in per_sample:
        raise ProjectError(f"per_sample: no column '{RANKED_BY}', which orders the gallery")
    rows = per_sample[(per_sample["split"] == split) & (per_sample["method"] == MODEL)]
    return rows.sort_values(
        [RANKED_BY, "sample_id"], ascending=[False, True], na_position="last", ignore_index=True
    )


def spread(count: int, shown: int) -> list[int]:
    """`shown` of `count` ranks, evenly spaced; always with the first, the middle, the last.

    The middle of an even count is the worse one. Fewer than three are shown only where there are
    fewer.
    """
    shown = min(count, max(shown, 3))
    ranks = np.rint(np.linspace(0, count - 1, shown)).astype(int)
    if shown >= 3:
        ranks[1 + np.abs(ranks[1:-1] - count // 2).argmin()] = count // 2
    return ranks.tolist()


def make_gallery(
    per_sample: pd.DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    split: str,
    shown: int,
) -> Gallery:
    """Cards of a spread of one split's samples.

    Raises:
        ProjectError: where a scored sample is missing in predictions or manifest; names it.
    """
    rows = ranked(per_sample, split)
    prediction_rows = _rows_of(rows["sample_id"], predictions.scalars["sample_id"].to_pylist())
    _require(rows["sample_id"], prediction_rows, f"{predictions.folder}: no prediction of sample")
    pair_rows = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    _require(rows["sample_id"], pair_rows, "manifest: no row of sample")

    scored = rows[rows[RANKED_BY].notna()]
    ranks = spread(len(scored), shown)
    stored_side = int(pairs.shapes("beauty")[:, 1:].max())
    side = shown_side(stored_side, 4 * len(ranks), PICTURE_BUDGET)
    cards = [
        _card(
            scored.iloc[rank],
            _place(rank, len(scored)),
            predictions.tensor("prediction", prediction_rows[scored.iloc[rank]["sample_id"]]),
            pairs,
            pair_rows[scored.iloc[rank]["sample_id"]],
            side,
        )
        for rank in ranks
    ]
    unscored = rows.loc[rows[RANKED_BY].isna(), "sample_id"].tolist()
    return Gallery(cards, len(scored), unscored, stored_side, side)


def _rows_of(wanted: Iterable[str], stored: list[str]) -> dict[str, int]:
    wanted = set(wanted)
    return {sample_id: row for row, sample_id in enumerate(stored) if sample_id in wanted}


def _require(sample_ids: Iterable[str], rows: dict[str, int], complaint: str) -> None:
    for sample_id in sample_ids:
        if sample_id not in rows:
            raise ProjectError(f"{complaint} {sample_id!r}")


Place = tuple[str, bool]


def _place(rank: int, count: int) -> Place:
    names = {0: "best", count // 2: "median", count - 1: "worst"}
    if count == 1:
        return "the only sample", True
    return (names[rank], True) if rank in names else (f"{rank + 1} of {count}", False)


def _card(
    row: pd.Series,
    place: Place,
    stored_prediction: np.ndarray,
    pairs: PairShards,
    pair_row: int,
    side: int,
) -> Card:
    valid = shrunk_mask(pairs.tensor("valid", pair_row), side)
    prediction = shrunk(stored_prediction, side)
    truth = shrunk(pairs.tensor("albedo", pair_row), side)
    error = error_of(prediction, truth)
    return Card(
        sample_id=str(row["sample_id"]),
        group=str(row["group"]),
        place=place[0],
        marked=place[1],
        scores=[
            (label(name), measured(name, float(row[name]), with_unit=True))
            for name in row.index
            if name not in _NOT_METRICS and isinstance(row[name], int | float | np.number)
        ],
        beauty=png_uri(shrunk(pairs.tensor("beauty", pair_row), side)),
        prediction=png_uri(prediction),
        truth=png_uri(hatched(truth, valid)),
        error=png_uri(error_picture(error, valid)),
        mean_error=f"{error[valid].mean():.3f}" if valid.any() else "",
    )
