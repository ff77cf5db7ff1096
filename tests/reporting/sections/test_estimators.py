"""The estimators side by side: what counts as equal is what is shown as equal."""

from albedo_pipeline.reporting.formatting import signed
from albedo_pipeline.reporting.sections.estimators import estimators_section


def score(mean: float) -> dict:
    return {"psnr": {"mean": mean, "low": mean - 1, "high": mean + 1, "n": 3}}


def paired(mean: float, width: float) -> dict:
    return {"psnr": {"mean": mean, "low": mean - width, "high": mean + width, "n": 3}}


def test_differences_below_the_digits_shown_are_the_same() -> None:
    means = {"ours": 18.601, "export": 18.601 - 2e-8, "other": 18.5}
    results = {
        "scores": {"test": {"n": 3} | {name: score(mean) for name, mean in means.items()}},
        "differences": {"test": {"export": paired(-2e-8, 1e-7), "other": paired(-0.1, 0.05)}},
        "estimators": {name: {"about": {}} for name in means},
        "reference": "ours",
        "protocol": {"name": "albedo_pipeline", "fingerprint": "f", "confidence": 0.95},
        "published": {"beside": [], "apart": []},
    }
    ours, export, other = (row.cells[0] for row in estimators_section(results, []).rows)
    assert (ours.best, export.best, other.best) == (True, True, False)
    assert (export.difference, export.verdict) == ("0.00", "the same")
    assert export.difference_interval == "0.00 … 0.00"
    assert (other.difference, other.verdict) == ("−0.10", "worse")


def test_a_difference_that_is_shown_as_zero_has_no_sign() -> None:
    assert [signed("psnr", value) for value in (-0.001, 0.0, 0.001)] == ["0.00"] * 3
    assert [signed("psnr", value) for value in (-0.01, 0.01)] == ["−0.01", "+0.01"]
