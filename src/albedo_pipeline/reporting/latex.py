"""The table of compared estimators in LaTeX, for the package booktabs."""

from albedo_pipeline.reporting.sections.estimators import (
    Cell,
    EstimatorsSection,
    estimators_section,
)

_SPECIAL = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "−": "$-$",
    "Δ": r"$\Delta$",
    "∞": r"$\infty$",
    "…": r"\dots{}",
    "–": "--",
    "°": r"$^\circ$",
} | {character: f"\\{character}" for character in "&%$#_{}"}


def latex_table(results: dict) -> str:
    """A `table` for each split: means with intervals, and differences from the reference."""
    return "\n".join(
        _table(estimators_section(results, [], split), results) for split in results["scores"]
    )


def escaped(text: str) -> str:
    """The text as LaTeX prints it."""
    return "".join(_SPECIAL.get(character, character) for character in text)


def _table(section: EstimatorsSection, results: dict) -> str:
    heads = [
        escaped(" ".join(filter(None, (column.label, f"[{column.unit}]" * bool(column.unit)))))
        + f" {escaped(column.arrow)}"
        for column in section.columns
    ]
    rows = []
    for row in section.rows:
        cells = [escaped(row.name), *(_mean(cell) for cell in row.cells)]
        rows.append(" & ".join(cells) + r" \\")
        if not row.is_reference:
            cells = [r"\quad difference", *(_difference(cell) for cell in row.cells)]
            rows.append(" & ".join(cells) + r" \\")
    published = [
        " & ".join([escaped(row.name), *map(escaped, row.values)]) + r" \\"
        for row in section.published
    ]
    note = (
        f"{section.split}, {section.n} samples, mean and {section.percent} % interval. "
        f"Differences from {section.reference} are paired. Protocol {section.protocol_name}, "
        f"fingerprint {section.fingerprint}."
    )
    return "\n".join(
        [
            r"\begin{table}",
            r"\centering",
            rf"\begin{{tabular}}{{l{'r' * len(heads)}}}",
            r"\toprule",
            " & ".join(["", *heads]) + r" \\",
            r"\midrule",
            *rows,
            *([r"\midrule", *published] if published else []),
            r"\bottomrule",
            r"\end{tabular}",
            rf"\caption{{{escaped(note)}}}",
            r"\end{table}",
            "",
        ]
    )


def _mean(cell: Cell) -> str:
    interval = rf" {{\scriptsize [{escaped(cell.interval)}]}}" if cell.interval else ""
    mean = rf"\textbf{{{escaped(cell.mean)}}}" if cell.best else escaped(cell.mean)
    return mean + interval


def _difference(cell: Cell) -> str:
    if not cell.difference_interval:
        return escaped(cell.difference)
    return rf"{escaped(cell.difference)} {{\scriptsize [{escaped(cell.difference_interval)}]}}"
