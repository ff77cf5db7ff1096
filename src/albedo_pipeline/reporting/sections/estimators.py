"""Estimators side by side: a table with paired differences, settings, and a gallery."""

import logging
from dataclasses import dataclass

import pandas as pd

from albedo_pipeline.artifacts.comparison import Comparison
from albedo_pipeline.imaging.colormap import hatched
from albedo_pipeline.provenance.lineage import check_content
from albedo_pipeline.reporting.formatting import (
    MISSING,
    finite,
    higher_is_better,
    label,
    main_measures,
    measured,
    method,
    plain,
    signed,
    spaced,
    unit,
    verdict,
)
from albedo_pipeline.reporting.images import (
    image_thumbnail,
    mask_thumbnail,
    png_uri,
    side_within_budget,
)
from albedo_pipeline.reporting.sections.ranking import evenly_spaced_ranks, ranking_metric
from albedo_pipeline.reporting.sections.scores import best_method
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PREDICTION_OF, PredictionShards

logger = logging.getLogger(__name__)
_BUDGET = 4_000_000
"""Bytes that the gallery's pictures may take."""
_LARGEST = 256
"""Longest side of a picture, pixels."""


@dataclass(frozen=True)
class Column:
    """A measure of the table."""

    label: str
    unit: str
    arrow: str
    """Points in the direction that is better."""


@dataclass(frozen=True)
class Cell:
    """An estimator's score in one measure, as text."""

    mean: str
    interval: str
    """Empty if there is none."""
    best: bool
    difference: str
    """Mean paired difference from the reference; empty for the reference."""
    difference_interval: str
    verdict: str
    """`better`, `worse`, `undecided`, or `the same` if all digits that are shown are 0; empty for
    the reference."""


@dataclass(frozen=True)
class EstimatorRow:
    """One estimator."""

    name: str
    is_reference: bool
    cells: list[Cell]
    about: list[str]
    """Values of the settings, in the order of the section's `setting_names`."""


@dataclass(frozen=True)
class PublishedRow:
    """A published model that was measured with this protocol, on this split."""

    name: str
    values: list[str]
    """Value of each column; a dash if it is not stated."""
    sources: str


@dataclass(frozen=True)
class EstimatorsSection:
    """What the report shows of a comparison."""

    split: str
    n: int
    percent: str
    reference: str
    columns: list[Column]
    rows: list[EstimatorRow]
    setting_names: list[str]
    published: list[PublishedRow]
    apart: list[dict]
    """Published numbers that cannot be compared, with what differs in `differs`."""
    protocol_name: str
    fingerprint: str
    picture_columns: list[str]
    pictures: list[dict]


def estimators_section(
    results: dict, pictures: list[dict], split: str | None = None
) -> EstimatorsSection:
    """The section of one split; None is the first one that was scored."""
    split = split or next(iter(results["scores"]))
    scores = {k: v for k, v in results["scores"][split].items() if k != "n"}
    differences = results["differences"][split]
    names = main_measures(dict.fromkeys(name for by in scores.values() for name in by))
    about = [estimator["about"] for estimator in results["estimators"].values()]
    used = (key for each in about for key, value in each.items() if value is not None)
    settings = list(dict.fromkeys(used))
    best = {name: _best(scores, name) for name in names}
    rows = [
        EstimatorRow(
            name=method(key).name,
            is_reference=key == results["reference"],
            cells=[
                _cell(
                    scores[key].get(name, {}),
                    differences.get(key, {}).get(name),
                    name,
                    key in best[name],
                )
                for name in names
            ],
            about=[plain(results["estimators"][key]["about"].get(name)) for name in settings],
        )
        for key in scores
    ]
    protocol, published = results["protocol"], results["published"]
    return EstimatorsSection(
        split=split,
        n=results["scores"][split]["n"],
        percent=f"{100 * protocol['confidence']:g}",
        reference=method(results["reference"]).name,
        columns=[Column(label(n), unit(n), _arrow(n)) for n in names],
        rows=rows,
        setting_names=[spaced(name) for name in settings],
        published=_published(published["beside"], names),
        apart=[
            row | {"label": label(row["metric"]), "text": measured(row["metric"], row["value"])}
            for row in published["apart"]
        ],
        protocol_name=protocol["name"],
        fingerprint=protocol["fingerprint"],
        picture_columns=[
            method(name).name if name in scores else name
            for name in (pictures[0]["pictures"] if pictures else ())
        ],
        pictures=pictures,
    )


def section_of(comparison: Comparison | None, metrics: dict) -> EstimatorsSection | None:
    """The section of the report; None if nothing was compared, or other pairs were.

    Args:
        comparison: what `compare` stored.
        metrics: content of `metrics.json`.

    Raises:
        ProjectError: if the results were changed after they were made.
    """
    if comparison is None:
        return None
    results = comparison.results
    check_content("comparison", results, "the pipeline compare")
    pairs = metrics.get("lineage", {}).get("pairs")
    if results["lineage"]["pairs"] != pairs:
        logger.warning(
            "report: the comparison of estimators is of other pairs, so it is not shown; run the "
            "pipeline compare again"
        )
        return None
    return estimators_section(results, comparison.pictures)


def logged_table(results: dict) -> None:
    """Log the first main measure of every estimator, with its difference."""
    section = estimators_section(results, [])
    first = section.columns[0]
    for row in section.rows:
        cell = row.cells[0]
        against = "" if row.is_reference else f", {cell.difference} ({cell.difference_interval})"
        logger.info(
            "compare: %s: %s %s %s%s", row.name, first.label, cell.mean, first.unit, against
        )


def gallery_rows(
    results: dict,
    per_sample: pd.DataFrame,
    predictions: PredictionShards,
    pairs: PairShards,
    manifest: pd.DataFrame,
    shown: int,
) -> list[dict]:
    """Pictures of some samples: beauty, truth, and the estimate of every estimator."""
    split = next(iter(results["scores"]))
    rows = per_sample[
        (per_sample["method"] == results["reference"]) & (per_sample["split"] == split)
    ]
    metric = ranking_metric(per_sample)
    ascending = higher_is_better(metric) is False
    ranked = rows[rows[metric].notna()].sort_values(metric, ascending=ascending)["sample_id"]
    chosen = [ranked.iloc[rank] for rank in evenly_spaced_ranks(len(ranked), shown)]
    place = {name: i for i, name in enumerate(predictions.scalars["sample_id"].to_pylist())}
    pair_row = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    count = len(chosen) * (2 + len(results["estimators"]))
    side = side_within_budget(_LARGEST, count, _BUDGET)

    def pictures(sample_id: str) -> dict[str, str]:
        row = pair_row[sample_id]
        valid = mask_thumbnail(pairs.tensor("valid", row), side)
        truth = hatched(image_thumbnail(pairs.tensor("albedo", row), side), valid)
        estimates = {
            name: predictions.tensor(PREDICTION_OF + name, place[sample_id])
            for name in results["estimators"]
        }
        return {
            "beauty": png_uri(image_thumbnail(pairs.tensor("beauty", row), side)),
            "truth": png_uri(truth),
            **{k: png_uri(image_thumbnail(image, side)) for k, image in estimates.items()},
        }

    return [{"sample_id": name, "pictures": pictures(name)} for name in chosen]


def _cell(score: dict, paired: dict | None, name: str, best: bool = False) -> Cell:
    has_interval = finite(score.get("low")) and finite(score.get("high"))
    interval = f"{measured(name, score.get('low'))} … {measured(name, score.get('high'))}"
    if paired is None:
        return Cell(measured(name, score.get("mean")), interval * has_interval, best, "", "", "")
    is_known = finite(paired["low"]) and finite(paired["high"])
    low, high = (signed(name, paired[end]) if is_known else "" for end in ("low", "high"))
    difference = signed(name, paired["mean"]) if finite(paired["mean"]) else MISSING
    decided = verdict(name, paired) if is_known else "undecided"
    return Cell(
        mean=measured(name, score.get("mean")),
        interval=interval * has_interval,
        best=best,
        difference=difference,
        difference_interval=f"{low} … {high}" if is_known else "",
        verdict="the same" if {low, difference, high} == {signed(name, 0.0)} else decided,
    )


def _best(scores: dict, name: str) -> set[str]:
    """The estimators whose mean is the best, as it is shown."""
    best = best_method(scores, name, list(scores))
    if best is None:
        return set()
    shown = {key: measured(name, by.get(name, {}).get("mean")) for key, by in scores.items()}
    return {key for key, text in shown.items() if text == shown[best]}


def _arrow(name: str) -> str:
    return {True: "↑", False: "↓", None: ""}[higher_is_better(name)]


def _published(beside: list[dict], names: list[str]) -> list[PublishedRow]:
    models = dict.fromkeys(row["model"] for row in beside)
    rows = []
    for model in models:
        own = {row["metric"]: row for row in beside if row["model"] == model}
        values = [measured(n, own[n]["value"]) if n in own else MISSING for n in names]
        sources = "; ".join(dict.fromkeys(row["source"] for row in own.values()))
        rows.append(PublishedRow(model, values, sources))
    return rows
