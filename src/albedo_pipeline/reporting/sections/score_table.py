"""The scores with a measure a row and a method a column: there are more measures than methods."""

from dataclasses import dataclass

from albedo_pipeline.reporting.formatting import MISSING, main_measures
from albedo_pipeline.reporting.sections.scores import (
    Cell,
    ScoreRow,
    ScoreTable,
    metrics_of,
    score_table,
)


@dataclass(frozen=True)
class MeasureRow:
    """One measure."""

    name: str
    label: str
    unit: str
    arrow: str
    """Points to where better is; empty where that is not known."""
    cells: list[Cell]
    """One a method."""


@dataclass(frozen=True)
class MeasureRows:
    """The measures in three tables."""

    compared: list[MeasureRow]
    """Of the valid pixels."""
    all_pixels: list[MeasureRow]
    """Of masked ones too."""
    model_alone: list[MeasureRow]
    """Such as no other method has; of one cell."""


def measure_rows(table: ScoreTable, names: list[str]) -> MeasureRows:
    """A table, turned.

    Args:
        names: keys of the table's columns.
    """
    rows = MeasureRows([], [], [])
    for number, (name, (label, unit, direction)) in enumerate(
        zip(names, table.columns, strict=True)
    ):
        model, *others = [row.cells[number] for row in table.rows]
        if others and all(cell.mean == MISSING for cell in others):
            rows.model_alone.append(MeasureRow(name, label, unit, direction[:1], [model]))
            continue
        place = rows.all_pixels if name.endswith("_unmasked") else rows.compared
        place.append(MeasureRow(name, label, unit, direction[:1], [model, *others]))
    return rows


@dataclass(frozen=True)
class ShownScores:
    """One split's scores as the report shows them."""

    split: str
    n: int | None
    samples: str
    """n as text; cells that are of so many say nothing of it."""
    rows: list[ScoreRow]
    """The methods."""
    main: list[MeasureRow]
    groups: list[tuple[str, list[MeasureRow]]]
    """All measures, by what they are taken of; empty where the main ones are all."""
    model_alone: list[MeasureRow]


def shown_scores(metrics: dict, split: str) -> ShownScores:
    """All that the file says of one split; what is shown first apart."""
    table, names = score_table(metrics, split), metrics_of(metrics[split])
    found, first = measure_rows(table, names), main_measures(names)
    rows = [*found.compared, *found.all_pixels]
    main = [row for name in first for row in rows if row.name == name]
    return ShownScores(
        split=table.split,
        n=table.n,
        samples="" if table.n is None else f"{table.n:,}",
        rows=table.rows,
        main=main,
        groups=_groups(rows) if len(rows) > len(main) else [],
        model_alone=found.model_alone,
    )


def _groups(rows: list[MeasureRow]) -> list[tuple[str, list[MeasureRow]]]:
    groups: dict[str, list[MeasureRow]] = {}
    for row in rows:
        aligned = "Aligned in scale" if "_aligned" in row.name else "As predicted"
        pixels = "all pixels, masked ones too" if "_unmasked" in row.name else "the valid pixels"
        groups.setdefault(f"{aligned}, over {pixels}", []).append(row)
    return list(groups.items())
