"""The headline: sentences that say how the model did."""

from albedo_pipeline.reporting.formatting import (
    CEILING,
    MODEL,
    count,
    finite,
    higher_is_better,
    label,
    main_measures,
    measured,
    method,
)
from albedo_pipeline.reporting.sections.scores import (
    best_method,
    method_kind,
    methods_of,
    metrics_of,
)


def headline(metrics: dict, split: str, percent: float) -> str:
    """How the model did on one split, in a few sentences.

    The first main metric is compared with the best baseline and the ceiling. Then come the metrics
    in which the model is better than every baseline, and one sentence for each of the others, so
    that no metric in which the model is worse is left out.

    Args:
        percent: confidence of the intervals in percent.
    """
    scores = metrics[split]
    names = main_measures(metrics_of(scores))
    name = names[0] if names else "psnr"
    model = scores.get(MODEL, {}).get(name, {})
    n = scores.get("n")
    samples = f"On the {split} split" if n is None else f"On {count(n, f'{split} sample')}"
    if not finite(model.get("mean")):
        return f"{samples} the model has no finite {label(name)}, so there is nothing to compare."
    sentence = f"{samples} the model reaches {_with_interval(name, model, percent)}"
    if higher_is_better(name) is None:
        return sentence + "."
    sentence += _against_baseline(scores, name) or "; no baseline was measured"
    ceiling = scores.get(CEILING, {}).get(name, {})
    if finite(ceiling.get("mean")):
        sentence += (
            f"; {_difference(name, model['mean'], ceiling['mean'])} the autoencoder’s ceiling "
            f"({_with_range(name, ceiling)})"
        )
    return sentence + "." + _other_metrics(scores, names[1:])


def score_sentence(metrics: dict, split: str) -> str:
    """The model's first main metric, and how far it is from the best baseline and the ceiling."""
    scores = metrics[split]
    names = main_measures(metrics_of(scores))
    name = names[0] if names else "psnr"
    mean, n = scores.get(MODEL, {}).get(name, {}).get("mean"), scores.get("n")
    samples = f"On the {split} split" if n is None else f"On {count(n, f'{split} sample')}"
    if not finite(mean):
        return f"{samples} the model has no finite {label(name)}."
    sentence = f"{samples} the model reaches {_value(name, mean)}"
    if higher_is_better(name) is None:
        return sentence + "."
    baseline = _best_baseline(scores, name)
    if baseline:
        other = scores[baseline][name]
        sentence += (
            f": {_difference(name, mean, other['mean'])} the best baseline, "
            f"“{method(baseline).name}”"
        )
        if _overlap(scores[MODEL][name], other):
            sentence += ", though the two intervals overlap"
    ceiling = scores.get(CEILING, {}).get(name, {}).get("mean")
    if finite(ceiling):
        joint = "; it is" if baseline else ":"
        sentence += f"{joint} {_difference(name, mean, ceiling)} the autoencoder’s ceiling"
    return sentence + "."


def _other_metrics(scores: dict, names: list[str]) -> str:
    better = [name for name in names if _beats_all_baselines(scores, name)]
    rest = "".join(_metric_sentence(scores, name) for name in names if name not in better)
    if not better:
        return rest
    labels = [label(name) for name in better]
    listed = " and ".join(filter(None, [", ".join(labels[:-1]), labels[-1]]))
    return f" By {listed} it is better than every baseline." + rest


def _beats_all_baselines(scores: dict, name: str) -> bool:
    """Whether the model is better than the best baseline and their intervals do not overlap."""
    baseline = _best_baseline(scores, name)
    model = scores[MODEL].get(name, {})
    if baseline is None or not finite(model.get("mean")):
        return False
    other = scores[baseline][name]
    better = (model["mean"] > other["mean"]) == bool(higher_is_better(name))
    return better and model["mean"] != other["mean"] and not _overlap(model, other)


def _against_baseline(scores: dict, name: str) -> str:
    """`: 2.80 dB better than the best baseline, …`; empty without a baseline."""
    baseline = _best_baseline(scores, name)
    if baseline is None:
        return ""
    model, other = scores[MODEL][name], scores[baseline][name]
    text = (
        f": {_difference(name, model['mean'], other['mean'])} the best baseline, "
        f"“{method(baseline).name}” ({_with_range(name, other)})"
    )
    return text + (", though the two intervals overlap" if _overlap(model, other) else "")


def _best_baseline(scores: dict, name: str) -> str | None:
    baselines = [key for key in methods_of(scores) if method_kind(key) == "baseline"]
    return best_method(scores, name, baselines)


def _metric_sentence(scores: dict, name: str) -> str:
    """A sentence about one metric; empty if the model has no finite score."""
    model = scores[MODEL].get(name, {})
    if not finite(model.get("mean")):
        return ""
    value = measured(name, model["mean"], with_unit=True)
    comparison = _against_baseline(scores, name).removeprefix(": ")
    if not comparison:
        return f" {label(name)}: {value}."
    return f" By {label(name)} ({value}) it is {comparison}."


def _difference(name: str, mean: float, other: float) -> str:
    """`2.80 dB better than`, or `the same as` if both have the same rounded value."""
    difference = measured(name, abs(mean - other), with_unit=True)
    if measured(name, mean) == measured(name, other):
        return "the same as"
    better = (mean > other) == bool(higher_is_better(name))
    return f"{difference} {'better' if better else 'worse'} than"


def _value(name: str, mean: float) -> str:
    """Label and value of a metric, `PSNR 18.64 dB`."""
    return f"{label(name)} {measured(name, mean, with_unit=True)}"


def _with_interval(name: str, score: dict, percent: float) -> str:
    value = _value(name, score["mean"])
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
