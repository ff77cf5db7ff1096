"""Which samples the gallery shows, and their pictures."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.reporting.formatting import (
    MODEL,
    higher_is_better,
    label,
    main_measures,
    main_names,
    measured,
)
from albedo_pipeline.reporting.images import (
    error_of,
    error_picture,
    hatched,
    png_uri,
    shown_side,
    shrunk,
    shrunk_map,
    shrunk_mask,
)
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

PICTURE_BUDGET = 9_000_000
"""Bytes that the samples' pictures may take: with its plots the report stays below 15 MB."""


@dataclass(frozen=True)
class Order:
    """A measure that the cards can be sorted by."""

    label: str
    higher_is_better: bool


@dataclass(frozen=True)
class Card:
    """One sample of the gallery; the pictures are data URIs."""

    sample_id: str
    group: str
    light_set: str
    """First sample of its light set; empty where it has none."""
    place: str
    """`best`, `median`, `worst`, or which of how many."""
    marked: bool
    """Whether `place` is one of the three words."""
    scores: list[tuple[str, str]]
    """(measure, value with its unit) of the model for this sample."""
    keys: list[float | None]
    """Its value for each of the gallery's orders; None where it has none."""
    beauty: str
    prediction: str
    truth: str
    error: str
    mean_error: str
    """Mean absolute sRGB difference over the valid pixels."""
    uncertainty: str
    """Empty where there was no ensemble."""
    mean_uncertainty: str
    """Over the valid pixels."""


@dataclass(frozen=True)
class Gallery:
    """The cards from best to worst, and what they were chosen from."""

    cards: list[Card]
    ranked_by: str
    """Label of the measure that ranked them."""
    orders: list[Order]
    """The ranking measure first."""
    scored: int
    unscored: list[str]
    """Samples whose ranking measure is not a number; not shown."""
    stored_side: int
    shown_side: int


def ranking_measure(per_sample: pd.DataFrame) -> str:
    """The first main measure, which is a PSNR in every protocol; without one, the table's first.

    Raises:
        ProjectError: where the table has no measure.
    """
    names = main_measures(map(str, per_sample.select_dtypes("number")))
    if not names:
        raise ProjectError("per_sample: no measure, so the gallery has no order")
    return names[0]


def ranked(per_sample: pd.DataFrame, split: str) -> pd.DataFrame:
    """The model's rows of one split, the best first, then by sample_id; NaN last.

    Raises:
        ProjectError: where the table has no measure.
    """
    name = ranking_measure(per_sample)
    rows = per_sample[(per_sample["split"] == split) & (per_sample["method"] == MODEL)]
    return rows.sort_values(
        [name, "sample_id"],
        ascending=[higher_is_better(name) is False, True],
        na_position="last",
        ignore_index=True,
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
    beside: int = 0,
) -> Gallery:
    """Cards of a spread of one split's samples.

    Args:
        beside: pictures of the same size that share the budget.

    Raises:
        ProjectError: where a scored sample is missing in predictions or manifest; names it.
    """
    rows = ranked(per_sample, split)
    prediction_rows = _rows_of(rows["sample_id"], predictions.scalars["sample_id"].to_pylist())
    _require(rows["sample_id"], prediction_rows, f"{predictions.folder}: no prediction of sample")
    pair_rows = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    _require(rows["sample_id"], pair_rows, "manifest: no row of sample")

    name = ranking_measure(per_sample)
    scored = rows[rows[name].notna()]
    ranks = spread(len(scored), shown)
    known = scored.iloc[ranks].dropna(axis="columns", how="all")
    orders = [key for key in dict.fromkeys((name, *main_names(), "aurc")) if key in known]
    stored_side = int(pairs.shapes("beauty")[:, 1:].max())
    per_card = 5 if "uncertainty" in predictions.tensor_names else 4
    side = shown_side(stored_side, per_card * len(ranks) + beside, PICTURE_BUDGET)
    cards = [
        _card(
            scored.iloc[rank],
            _place(rank, len(scored)),
            orders,
            (predictions, prediction_rows[scored.iloc[rank]["sample_id"]]),
            (pairs, pair_rows[scored.iloc[rank]["sample_id"]]),
            side,
        )
        for rank in ranks
    ]
    return Gallery(
        cards=cards,
        ranked_by=label(name),
        orders=[Order(label(key), higher_is_better(key) is not False) for key in orders],
        scored=len(scored),
        unscored=rows.loc[rows[name].isna(), "sample_id"].tolist(),
        stored_side=stored_side,
        shown_side=side,
    )


def _rows_of(wanted: Iterable[str], stored: list[str]) -> dict[str, int]:
    wanted = set(wanted)
    return {sample_id: row for row, sample_id in enumerate(stored) if sample_id in wanted}


def _require(sample_ids: Iterable[str], rows: dict[str, int], complaint: str) -> None:
    for sample_id in sample_ids:
        if sample_id not in rows:
            raise ProjectError(f"{complaint} {sample_id!r}")


def _place(rank: int, count: int) -> tuple[str, bool]:
    names = {0: "best", count // 2: "median", count - 1: "worst"}
    if count == 1:
        return "the only sample", True
    return (names[rank], True) if rank in names else (f"{rank + 1} of {count}", False)


def _card(
    row: pd.Series,
    place: tuple[str, bool],
    orders: list[str],
    predicted: tuple[PredictionShards, int],
    pair: tuple[PairShards, int],
    side: int,
) -> Card:
    (predictions, at), (pairs, pair_row) = predicted, pair
    valid = shrunk_mask(pairs.tensor("valid", pair_row), side)
    prediction = shrunk(predictions.tensor("prediction", at), side)
    truth = shrunk(pairs.tensor("albedo", pair_row), side)
    error = error_of(prediction, truth)
    uncertain = None
    if "uncertainty" in predictions.tensor_names:
        uncertain = shrunk_map(predictions.tensor("uncertainty", at), side)
    values = {name: float(row[name]) for name in orders}
    return Card(
        sample_id=str(row["sample_id"]),
        group=str(row["group"]),
        light_set=str(row.get("set", "")),
        place=place[0],
        marked=place[1],
        scores=[
            (label(name), measured(name, value, with_unit=True))
            for name, value in values.items()
            if not np.isnan(value)
        ],
        keys=[_sortable(value) for value in values.values()],
        beauty=png_uri(shrunk(pairs.tensor("beauty", pair_row), side)),
        prediction=png_uri(prediction),
        truth=png_uri(hatched(truth, valid)),
        error=png_uri(error_picture(error, valid)),
        mean_error=_mean(error, valid),
        uncertainty="" if uncertain is None else png_uri(error_picture(uncertain, valid)),
        mean_uncertainty="" if uncertain is None else _mean(uncertain, valid),
    )


def _mean(values: np.ndarray, valid: np.ndarray) -> str:
    return f"{values[valid].mean():.3f}" if valid.any() else ""


def _sortable(value: float) -> float | None:
    """As JSON has it, which knows no infinity."""
    return None if np.isnan(value) else float(np.nan_to_num(value))
