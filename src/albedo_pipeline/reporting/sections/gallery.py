"""The gallery: a card with scores and pictures for each of some samples."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colormap import absolute_error, error_picture, hatched
from albedo_pipeline.reporting.formatting import higher_is_better, label, main_names, measured
from albedo_pipeline.reporting.images import (
    image_thumbnail,
    map_thumbnail,
    mask_thumbnail,
    png_uri,
    side_within_budget,
)
from albedo_pipeline.reporting.sections.ranking import (
    evenly_spaced_ranks,
    ranked_samples,
    ranking_metric,
)
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

PICTURE_BUDGET = 9_000_000
"""Bytes that the samples' pictures may take, so that the report with its plots is below 15 MB."""
STRIP, STRIP_SIDE = 8, 128
"""Number of samples at the top of the page, and the longer side of their pictures in pixels."""
_BADGES = ("best", "median", "worst")


@dataclass(frozen=True)
class SortOption:
    """A metric that the cards can be sorted by."""

    label: str
    higher_is_better: bool


@dataclass(frozen=True)
class SampleCard:
    """One sample of the gallery; the pictures are data URIs."""

    sample_id: str
    group: str
    light_set: str
    """First sample of its light set; empty if it is in none."""
    ranks: list[tuple[str, str]]
    """(text, badge) for each of the gallery's sort options: `("best PSNR", "best")` or, without a
    badge, `("6 of 75", "")`."""
    scores: list[tuple[str, str]]
    """(metric, value with its unit) of the model for this sample."""
    sort_values: list[float | None]
    """Its score for each of the gallery's sort options; None if it has none."""
    beauty: str
    prediction: str
    truth: str
    error: str
    mean_error: str
    """Mean absolute difference over the valid pixels, sRGB-encoded."""
    uncertainty: str
    """Empty if there was no ensemble."""
    mean_uncertainty: str
    """Mean uncertainty over the valid pixels."""
    small: list[tuple[str, str]]
    """(name, picture) of beauty, prediction and truth, at most `STRIP_SIDE` pixels."""
    size: tuple[int, int]
    """Width and height of the pictures in pixels."""


@dataclass(frozen=True)
class Gallery:
    """The cards from best to worst, and the samples that they were chosen from."""

    cards: list[SampleCard]
    ranked_by: str
    """Label of the metric that ranks the cards."""
    sort_options: list[SortOption]
    """The ranking metric first."""
    scored: int
    """Number of samples that have a rank."""
    unscored: list[str]
    """Samples whose ranking metric is NaN; they have no rank and are not shown."""
    stored_side: int
    """Longer side of the stored images in pixels."""
    shown_side: int
    """Longer side of the pictures in pixels."""
    strip_side: int
    """Longer side of the pictures at the top of the page."""
    strip: list[int]
    """Numbers of the cards at the top of the page, from best to worst."""


def make_gallery(
    per_sample: pd.DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    split: str,
    shown: int,
    other_pictures: int = 0,
) -> Gallery:
    """Cards of some samples of one split, evenly spaced from the best to the worst.

    Args:
        shown: number of cards.
        other_pictures: number of pictures outside the gallery that share its budget.

    Raises:
        ProjectError: if a scored sample is missing in the predictions or the manifest; names it.
    """
    rows = ranked_samples(per_sample, split)
    prediction_rows = _rows_of(rows["sample_id"], predictions.scalars["sample_id"].to_pylist())
    _require(rows["sample_id"], prediction_rows, f"{predictions.folder}: no prediction of sample")
    pair_rows = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    _require(rows["sample_id"], pair_rows, "manifest: no row of sample")

    name = ranking_metric(per_sample)
    scored = rows[rows[name].notna()]
    ranks = evenly_spaced_ranks(len(scored), shown)
    known = scored.iloc[ranks].dropna(axis="columns", how="all")
    names = [key for key in dict.fromkeys((name, *main_names(), "aurc")) if key in known]
    stored_side = int(pairs.shapes("beauty")[:, 1:].max())
    pictures = (5 if "uncertainty" in predictions.tensor_names else 4) * len(ranks)
    side = side_within_budget(stored_side, pictures + other_pictures, PICTURE_BUDGET)
    places = {key: _places(scored, key) for key in names}
    cards = [
        _card(
            scored.iloc[rank],
            [_rank_label(key, *places[key], scored.iloc[rank]["sample_id"]) for key in names],
            names,
            (predictions, prediction_rows[scored.iloc[rank]["sample_id"]]),
            (pairs, pair_rows[scored.iloc[rank]["sample_id"]]),
            side,
        )
        for rank in ranks
    ]
    return Gallery(
        cards=cards,
        ranked_by=label(name),
        sort_options=[SortOption(label(key), higher_is_better(key) is not False) for key in names],
        scored=len(scored),
        unscored=rows.loc[rows[name].isna(), "sample_id"].tolist(),
        stored_side=stored_side,
        shown_side=side,
        strip_side=min(side, STRIP_SIDE),
        strip=evenly_spaced_ranks(len(cards), STRIP),
    )


def _rows_of(sample_ids: Iterable[str], stored: list[str]) -> dict[str, int]:
    wanted = set(sample_ids)
    return {sample_id: row for row, sample_id in enumerate(stored) if sample_id in wanted}


def _require(sample_ids: Iterable[str], rows: dict[str, int], message: str) -> None:
    for sample_id in sample_ids:
        if sample_id not in rows:
            raise ProjectError(f"{message} {sample_id!r}")


def _places(scored: pd.DataFrame, metric: str) -> tuple[dict[str, int], int]:
    """Place of every sample by a metric, 0 is the best, and how many samples have the metric."""
    ascending = [higher_is_better(metric) is False, True]
    order = scored[scored[metric].notna()].sort_values([metric, "sample_id"], ascending=ascending)
    return {sample: place for place, sample in enumerate(order["sample_id"])}, len(order)


def _rank_label(metric: str, places: dict[str, int], count: int, sample_id: str) -> tuple[str, str]:
    """Text for the rank of a sample by a metric, and its badge."""
    place = places.get(sample_id)
    if place is None:
        return f"no {label(metric)}", ""
    if count == 1:
        return "the only sample", "median"
    badges = dict(zip((0, count // 2, count - 1), _BADGES, strict=True))
    if place in badges:
        return f"{badges[place]} {label(metric)}", badges[place]
    return f"{place + 1} of {count}", ""


def _card(
    row: pd.Series,
    ranks: list[tuple[str, str]],
    names: list[str],
    predicted: tuple[PredictionShards, int],
    pair: tuple[PairShards, int],
    side: int,
) -> SampleCard:
    predictions, prediction_row = predicted
    beauty, prediction, truth, valid = _pictures(predicted, pair, side)
    small = _pictures(predicted, pair, min(side, STRIP_SIDE))
    error = absolute_error(prediction, truth)
    uncertainty = None
    if "uncertainty" in predictions.tensor_names:
        uncertainty = map_thumbnail(predictions.tensor("uncertainty", prediction_row), side)
    values = {name: float(row[name]) for name in names}
    return SampleCard(
        sample_id=str(row["sample_id"]),
        group=str(row["group"]),
        light_set=str(row.get("set", "")),
        ranks=ranks,
        scores=[
            (label(name), measured(name, value, with_unit=True))
            for name, value in values.items()
            if not np.isnan(value)
        ],
        sort_values=[_json_number(value) for value in values.values()],
        beauty=png_uri(beauty),
        prediction=png_uri(prediction),
        truth=png_uri(hatched(truth, valid)),
        error=png_uri(error_picture(error, valid)),
        mean_error=_valid_mean(error, valid),
        uncertainty="" if uncertainty is None else png_uri(error_picture(uncertainty, valid)),
        mean_uncertainty="" if uncertainty is None else _valid_mean(uncertainty, valid),
        small=[
            ("beauty", png_uri(small[0])),
            ("prediction", png_uri(small[1])),
            ("truth", png_uri(hatched(small[2], small[3]))),
        ],
        size=(valid.shape[1], valid.shape[0]),
    )


def _pictures(
    predicted: tuple[PredictionShards, int], pair: tuple[PairShards, int], side: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Beauty, prediction and truth, uint8 [H, W, 3], and the valid mask, bool [H, W]."""
    (predictions, prediction_row), (pairs, pair_row) = predicted, pair
    return (
        image_thumbnail(pairs.tensor("beauty", pair_row), side),
        image_thumbnail(predictions.tensor("prediction", prediction_row), side),
        image_thumbnail(pairs.tensor("albedo", pair_row), side),
        mask_thumbnail(pairs.tensor("valid", pair_row), side),
    )


def _valid_mean(values: np.ndarray, valid: np.ndarray) -> str:
    return f"{values[valid].mean():.3f}" if valid.any() else ""


def _json_number(value: float) -> float | None:
    """None for NaN, and the largest float for infinity: JSON has neither."""
    return None if np.isnan(value) else float(np.nan_to_num(value))
