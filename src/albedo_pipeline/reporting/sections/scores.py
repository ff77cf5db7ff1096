"""The metrics dictionary => table rows, and the sentence that says how the model did."""

from dataclasses import dataclass

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.reporting.formatting import (
    CEILING,
    MODEL,
    Method,
    count,
    finite,
    higher_is_better,
    label,
    main_measures,
    measured,
    method,
    unit,
)

KINDS = ("model", "baseline", "ceiling")
"""In the order of tables and plots."""


@dataclass(frozen=True)
class Cell:
    """One method's score in one metric, as text."""

    mean: str
    interval: str
    n: str
    best: bool


@dataclass(frozen=True)
class ScoreRow:
    """One method of the table."""

    method: Method
    kind: str
    """`model`, `baseline` or `ceiling`."""
    cells: list[Cell]
    """One a metric, in the order of the table's columns."""


@dataclass(frozen=True)
class ScoreTable:
    """One split's table: the model, the baselines, then the ceiling."""

    split: str
    n: int | None
    columns: list[tuple[str, str, str]]
    """(name, unit, direction in words) of every metric."""
    rows: list[ScoreRow]


def main_split(metrics: dict) -> str:
    """The split that the report is about: test, else the first that was evaluated.

    Raises:
        ProjectError: where the metrics hold no split.
    """
    splits = split_names(metrics)
    if not splits:
        raise ProjectError("metrics: no split was evaluated; see parameters 'evaluate.splits'")
    return "test" if "test" in splits else splits[0]


def split_names(metrics: dict) -> list[str]:
    """Every evaluated split, in the order of the file."""
    about = ("protocol", "lineage")
    return [key for key in metrics if key not in about and isinstance(metrics[key], dict)]


def methods_of(scores: dict) -> list[str]:
    """Methods of one split: model, baselines, ceiling."""
    keys = [key for key, value in scores.items() if isinstance(value, dict)]
    return sorted(keys, key=lambda key: KINDS.index(kind_of(key)))


def metrics_of(scores: dict) -> list[str]:
    """Every metric that any method of one split has, in the order of the file."""
    return list(dict.fromkeys(name for key in methods_of(scores) for name in scores[key]))


def kind_of(key: str) -> str:
    """`model`, `baseline` or `ceiling`."""
    return {MODEL: "model", CEILING: "ceiling"}.get(key, "baseline")


def score_table(metrics: dict, split: str) -> ScoreTable:
    """All that the file says of one split."""
    scores = metrics[split]
    names = metrics_of(scores)
    best = {name: _best(scores, name) for name in names}
    rows = [
        ScoreRow(
            method=method(key),
            kind=kind_of(key),
            cells=[_cell(scores[key].get(name, {}), name, key in best[name]) for name in names],
        )
        for key in methods_of(scores)
    ]
    columns = [(label(name), unit(name), _DIRECTIONS[higher_is_better(name)]) for name in names]
    return ScoreTable(split, scores.get("n"), columns, rows)


def confidence(metrics: dict, parameters: dict) -> float:
    """Confidence of the intervals, percent: of the protocol, else the parameters, else 95."""
    for settings in (metrics.get("protocol", {}), parameters.get("evaluate", {})):
        for holder in (settings, settings.get("bootstrap")):
            if isinstance(holder, dict) and finite(holder.get("confidence")):
                return 100 * holder["confidence"]
    return 95.0


def headline(metrics: dict, split: str, percent: float) -> str:
    """The model's first measure against the best baseline and the ceiling; of the other main ones,
    which are better too, and by how much each that is worse is so."""
    scores = metrics[split]
    names = main_measures(metrics_of(scores))
    name = names[0] if names else "psnr"
    model = scores.get(MODEL, {}).get(name, {})
    n = scores.get("n")
    among = f"On the {split} split" if n is None else f"On {count(n, f'{split} sample')}"
    if not finite(model.get("mean")):
        return f"{among} the model has no finite {label(name)}: there is nothing to compare."
    sentence = f"{among} the model reaches {_with_interval(name, model, percent)}"
    if higher_is_better(name) is None:
        return sentence + "."
    sentence += _against_baseline(scores, name) or "; no baseline was measured"
    ceiling = scores.get(CEILING, {}).get(name, {})
    if finite(ceiling.get("mean")):
        sentence += (
            f"; {_compared(name, model['mean'], ceiling['mean'])} the autoencoder’s ceiling "
            f"({_with_range(name, ceiling)})"
        )
    return sentence + "." + _others(scores, names[1:])


def _others(scores: dict, names: list[str]) -> str:
    """So that no measure by which the model is worse is passed over."""
    better = [name for name in names if _beats_all(scores, name)]
    rest = "".join(_aside(scores, name) for name in names if name not in better)
    if not better:
        return rest
    listed = [label(name) for name in better]
    words = " and ".join(filter(None, [", ".join(listed[:-1]), listed[-1]]))
    return f" By {words} it is better than every baseline." + rest


def _beats_all(scores: dict, name: str) -> bool:
    """Whether the model is better than the best baseline, and their intervals do not overlap."""
    baselines = [key for key in methods_of(scores) if kind_of(key) == "baseline"]
    baseline = _first_best(scores, name, baselines)
    model = scores[MODEL].get(name, {})
    if baseline is None or not finite(model.get("mean")):
        return False
    other = scores[baseline][name]
    better = (model["mean"] > other["mean"]) == bool(higher_is_better(name))
    return better and model["mean"] != other["mean"] and not _overlap(model, other)


def _against_baseline(scores: dict, name: str) -> str:
    """`: 2.80 dB better than the best baseline, …`; empty without a baseline."""
    baselines = [key for key in methods_of(scores) if kind_of(key) == "baseline"]
    baseline = _first_best(scores, name, baselines)
    if baseline is None:
        return ""
    model, other = scores[MODEL][name], scores[baseline][name]
    words = (
        f": {_compared(name, model['mean'], other['mean'])} the best baseline, "
        f"“{method(baseline).name}” ({_with_range(name, other)})"
    )
    return words + (", though the two intervals overlap" if _overlap(model, other) else "")


def _aside(scores: dict, name: str) -> str:
    """One more sentence, so that no metric by which the model is worse is passed over."""
    model = scores[MODEL].get(name, {})
    if not finite(model.get("mean")):
        return ""
    value = measured(name, model["mean"], with_unit=True)
    comparison = _against_baseline(scores, name).removeprefix(": ")
    if not comparison:
        return f" {label(name)}: {value}."
    return f" By {label(name)} ({value}) it is {comparison}."


_DIRECTIONS = {True: "↑ higher is better", False: "↓ lower is better", None: ""}


def _cell(score: dict, name: str, best: bool) -> Cell:
    interval = f"{measured(name, score.get('low'))} … {measured(name, score.get('high'))}"
    n = score.get("n")
    return Cell(
        mean=measured(name, score.get("mean")),
        interval=interval if finite(score.get("low")) and finite(score.get("high")) else "",
        n="" if n is None else f"{n:,}",
        best=best,
    )


def _best(scores: dict, name: str) -> set[str]:
    """The estimators with the best mean; several where they are equal, none without a direction."""
    estimators = [key for key in methods_of(scores) if kind_of(key) != "ceiling"]
    winner = _first_best(scores, name, estimators)
    if winner is None:
        return set()
    mean = scores[winner][name]["mean"]
    return {key for key in estimators if scores[key].get(name, {}).get("mean") == mean}


def _first_best(scores: dict, name: str, keys: list[str]) -> str | None:
    higher = higher_is_better(name)
    keys = [key for key in keys if finite(scores[key].get(name, {}).get("mean"))]
    if higher is None or not keys:
        return None
    return (max if higher else min)(keys, key=lambda key: scores[key][name]["mean"])


def _compared(name: str, mean: float, other: float) -> str:
    difference = measured(name, abs(mean - other), with_unit=True)
    if measured(name, mean) == measured(name, other):
        return "the same as"
    better = (mean > other) == bool(higher_is_better(name))
    return f"{difference} {'better' if better else 'worse'} than"


def _with_interval(name: str, score: dict, percent: float) -> str:
    value = f"{label(name)} {measured(name, score['mean'], with_unit=True)}"
    if not (finite(score.get("low")) and finite(score.get("high"))):
        return f"{value} (no interval)"
    low, high = measured(name, score["low"]), measured(name, score["high"])
    return f"{value} ({percent:g} % interval {low} to {high})"


def _with_range(name: str, score: dict) -> str:
    value = measured(name, score["mean"], with_unit=True)
    if not (finite(score.get("low")) and finite(score.get("high"))):
        return value
    return f"{value}, {measured(name, score['low'])} to {measured(name, score['high'])}"


def _overlap(a: dict, b: dict) -> bool:
    ends = (a.get("low"), a.get("high"), b.get("low"), b.get("high"))
    return all(map(finite, ends)) and a["low"] <= b["high"] and b["low"] <= a["high"]
