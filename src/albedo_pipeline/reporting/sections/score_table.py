"""Tables of the scores of one split, with every number as text."""

from dataclasses import dataclass

from albedo_pipeline.reporting.formatting import (
    MISSING,
    Method,
    finite,
    higher_is_better,
    label,
    main_measures,
    measured,
    method,
    unit,
)
from albedo_pipeline.reporting.sections.scores import (
    best_method,
    main_split,
    method_kind,
    methods_of,
    metrics_of,
    split_names,
)

_DIRECTIONS = {True: "↑ higher is better", False: "↓ lower is better", None: ""}


@dataclass(frozen=True)
class Cell:
    """One method's score in one metric."""

    mean: str
    interval: str
    """Empty if there is no interval."""
    n: str
    """Number of samples; empty if it is not known."""
    best: bool
    """Whether no other method has a better mean; the ceiling does not count."""


@dataclass(frozen=True)
class ScoreRow:
    """All scores of one method."""

    method: Method
    kind: str
    """`model`, `other`, `baseline` or `ceiling`."""
    cells: list[Cell]
    """One cell per metric, in the order of the table's columns."""


@dataclass(frozen=True)
class ScoreTable:
    """A table with one row per method: the model, other models, baselines, the ceiling."""

    split: str
    n: int | None
    columns: list[tuple[str, str, str]]
    """(name, unit, direction in words) of every metric."""
    rows: list[ScoreRow]


@dataclass(frozen=True)
class MetricRow:
    """All scores in one metric."""

    name: str
    """Key of the metric."""
    label: str
    unit: str
    arrow: str
    """Points in the direction that is better; empty if that is not known."""
    cells: list[Cell]
    """One cell per method."""


@dataclass(frozen=True)
class MetricRows:
    """The metrics of one split, in three groups."""

    valid_pixels: list[MetricRow]
    """Metrics over the valid pixels."""
    all_pixels: list[MetricRow]
    """Metrics over all pixels, masked ones included."""
    model_only: list[MetricRow]
    """Metrics that only the model has; each has one cell."""


@dataclass(frozen=True)
class SplitScores:
    """The scores of one split as the report shows them."""

    title: str
    """The split in words; of a further set also the set."""
    fingerprint: str
    """Fingerprint of the protocol of a further set; empty for the own pairs, whose protocol is
    described at the end of the page."""
    n: int | None
    samples: str
    """`n` as text; a cell shows its own number of samples only if it differs."""
    rows: list[ScoreRow]
    """The methods."""
    main: list[MetricRow]
    """Rows of the main metrics."""
    groups: list[tuple[str, list[MetricRow]]]
    """Title and rows of each group of metrics; empty if all metrics are main metrics."""
    model_only: list[MetricRow]
    """Rows of the metrics that only the model has."""


def score_table(metrics: dict, split: str) -> ScoreTable:
    """All scores of one split, one row per method."""
    scores = metrics[split]
    names = metrics_of(scores)
    best = {name: _best_methods(scores, name) for name in names}
    rows = [
        ScoreRow(
            method=method(key),
            kind=method_kind(key),
            cells=[_cell(scores[key].get(name, {}), name, key in best[name]) for name in names],
        )
        for key in methods_of(scores)
    ]
    columns = [(label(name), unit(name), _DIRECTIONS[higher_is_better(name)]) for name in names]
    return ScoreTable(split, scores.get("n"), columns, rows)


def metric_rows(table: ScoreTable, names: list[str]) -> MetricRows:
    """The transposed table, one row per metric: there are more metrics than methods.

    Args:
        names: keys of the table's columns.
    """
    rows = MetricRows([], [], [])
    for column, (name, texts) in enumerate(zip(names, table.columns, strict=True)):
        metric_label, metric_unit, direction = texts
        cells = [row.cells[column] for row in table.rows]
        if len(cells) > 1 and all(cell.mean == MISSING for cell in cells[1:]):
            group, cells = rows.model_only, cells[:1]
        else:
            group = rows.all_pixels if name.endswith("_unmasked") else rows.valid_pixels
        group.append(MetricRow(name, metric_label, metric_unit, direction[:1], cells))
    return rows


def all_split_scores(metrics: dict) -> list[SplitScores]:
    """All scores of every split: the main one first, and those of further sets last."""
    main = main_split(metrics)
    others = [name for name in split_names(metrics) if name != main]
    further = [
        split_scores(one, split, f"{name}: {split}", one["protocol"]["fingerprint"])
        for name, one in metrics.get("sets", {}).items()
        for split in split_names(one)
    ]
    return [split_scores(metrics, split, split) for split in (main, *others)] + further


def split_scores(metrics: dict, split: str, title: str, fingerprint: str = "") -> SplitScores:
    """All scores of one split: the main metrics, then all metrics in groups."""
    table, names = score_table(metrics, split), metrics_of(metrics[split])
    grouped = metric_rows(table, names)
    rows = [*grouped.valid_pixels, *grouped.all_pixels]
    main = [row for name in main_measures(names) for row in rows if row.name == name]
    return SplitScores(
        title=title,
        fingerprint=fingerprint,
        n=table.n,
        samples="" if table.n is None else f"{table.n:,}",
        rows=table.rows,
        main=main,
        groups=_groups(rows) if len(rows) > len(main) else [],
        model_only=grouped.model_only,
    )


def _groups(rows: list[MetricRow]) -> list[tuple[str, list[MetricRow]]]:
    groups: dict[str, list[MetricRow]] = {}
    for row in rows:
        aligned = "Aligned in scale" if "_aligned" in row.name else "As predicted"
        pixels = (
            "all pixels, masked ones included" if "_unmasked" in row.name else "the valid pixels"
        )
        groups.setdefault(f"{aligned}, over {pixels}", []).append(row)
    return list(groups.items())


def _cell(score: dict, name: str, best: bool) -> Cell:
    interval = f"{measured(name, score.get('low'))} … {measured(name, score.get('high'))}"
    n = score.get("n")
    return Cell(
        mean=measured(name, score.get("mean")),
        interval=interval if finite(score.get("low")) and finite(score.get("high")) else "",
        n="" if n is None else f"{n:,}",
        best=best,
    )


def _best_methods(scores: dict, name: str) -> set[str]:
    """The methods with the best mean, ceiling excluded: several if equal, or none."""
    candidates = [key for key in methods_of(scores) if method_kind(key) != "ceiling"]
    best = best_method(scores, name, candidates)
    if best is None:
        return set()
    mean = scores[best][name]["mean"]
    return {key for key in candidates if scores[key].get(name, {}).get("mean") == mean}
