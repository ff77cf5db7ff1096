"""The scores as a model card shows them."""

from dataclasses import dataclass

from albedo_pipeline.reporting.scores import Cell, ScoreTable, metrics_of
from albedo_pipeline.reporting.words import MISSING


@dataclass(frozen=True)
class CardRow:
    """One metric."""

    label: str
    unit: str
    arrow: str
    """Points to where better is; empty where that is not known."""
    cells: list[Cell]
    """One a method."""


@dataclass(frozen=True)
class CardRows:
    """The metrics in three tables."""

    compared: list[CardRow]
    """Of the valid pixels."""
    all_pixels: list[CardRow]
    """Of masked ones too."""
    model_alone: list[CardRow]
    """Such as no other method has; of one cell."""


def card_rows(table: ScoreTable, names: list[str]) -> CardRows:
    """The report's table, turned: there are more metrics than methods, and a card is narrow.

    Args:
        names: keys of the table's columns.
    """
    rows = CardRows([], [], [])
    for number, (name, (label, unit, direction)) in enumerate(
        zip(names, table.columns, strict=True)
    ):
        model, *others = [row.cells[number] for row in table.rows]
        if others and all(cell.mean == MISSING for cell in others):
            rows.model_alone.append(CardRow(label, unit, direction[:1], [model]))
            continue
        place = rows.all_pixels if name.endswith("_unmasked") else rows.compared
        place.append(CardRow(label, unit, direction[:1], [model, *others]))
    return rows


def main_metrics(metrics: dict, split: str) -> dict:
    """The file with no other metrics than PSNR, SSIM and LPIPS of the valid pixels, as predicted:
    enough for one paragraph. All where there is none of these."""
    scores = metrics[split]
    names = [name for name in metrics_of(scores) if name.endswith(("psnr", "ssim", "lpips"))]
    if not names:
        return metrics
    kept = {
        method: {name: values[name] for name in names if name in values}
        if isinstance(values, dict)
        else values
        for method, values in scores.items()
    }
    return {"protocol": metrics["protocol"], split: kept}
