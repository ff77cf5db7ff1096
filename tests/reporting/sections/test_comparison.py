"""Comparison with another run: paired differences if the protocols are equal, else none."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.reporting.sections.comparison import compare
from tests.support.report_tables import METRIC_NAMES, distinct_metrics

BOOTSTRAP = BootstrapParams(resamples=500)
COUNT = 40
HOSTILE = "<img src=x onerror=alert(1)>"


def run(shift: float, fingerprint: str = "abc", steps: int = 4) -> tuple[dict, pd.DataFrame]:
    """Metrics and scores of a run: `shift` dB above a common level that varies by sample."""
    level = np.random.default_rng(0).normal(20, 5, COUNT)
    noise = np.random.default_rng(int(10 * shift) + 5).normal(0, 0.05, COUNT)
    table = pd.DataFrame(
        {
            "sample_id": [f"s{i}" for i in range(COUNT)],
            "group": [f"g{i // 2}" for i in range(COUNT)],
            "split": "test",
            "method": "model",
            "set": "",
            "psnr": level + shift + noise,
            "rmse": 0.2 - 0.01 * shift + 0 * noise,
        }
    )
    scores = {
        name: {"mean": table[name].mean(), "low": 1.0, "high": 2.0, "n": COUNT}
        for name in ("psnr", "rmse")
    }
    protocol = {"name": "p", "steps": steps, "fingerprint": fingerprint}
    return {"protocol": protocol, "test": {"n": COUNT, "model": scores}}, table


def save(folder: Path, metrics: dict, table: pd.DataFrame) -> Path:
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    table.to_parquet(folder / "per_sample.parquet")
    return folder


def test_pairing_finds_a_difference_that_is_small_beside_the_spread(tmp_path: Path) -> None:
    other = save(tmp_path / "other", *run(0.0))
    comparison = compare(*run(0.3), other, "test", BOOTSTRAP)
    assert comparison.fingerprints == ("abc", "abc")
    psnr, rmse = comparison.differences
    assert (psnr.label, psnr.verdict, psnr.n) == ("PSNR", "better", COUNT)
    assert psnr.difference.startswith("+0.3") or psnr.difference.startswith("+0.2")
    assert (rmse.label, rmse.difference, rmse.verdict) == ("RMSE", "−0.003", "better")


def test_a_run_compared_with_itself_is_undecided(tmp_path: Path) -> None:
    other = save(tmp_path / "other", *run(0.0))
    comparison = compare(*run(0.0), other, "test", BOOTSTRAP)
    assert {row.verdict for row in comparison.differences} == {"undecided"}
    assert comparison.differences[0].difference == "0.00"


def test_a_lower_psnr_is_worse(tmp_path: Path) -> None:
    other = save(tmp_path / "other", *run(0.5))
    assert compare(*run(0.0), other, "test", BOOTSTRAP).differences[0].verdict == "worse"


def test_runs_of_different_protocols_are_not_compared(tmp_path: Path) -> None:
    other = save(tmp_path / "other", *run(0.0, "xyz", steps=1))
    comparison = compare(*run(0.3), other, "test", BOOTSTRAP)
    assert comparison.fingerprints == ("abc", "xyz")
    assert comparison.differences == []
    assert comparison.protocol_differences == [("steps", "4", "1")]
    assert [name for name, _ in comparison.other_scores] == ["PSNR", "RMSE"]


@pytest.mark.parametrize("name", ["metrics.json", "per_sample.parquet"])
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    other = save(tmp_path / "other", *run(0.0))
    (other / name).unlink()
    with pytest.raises(ProjectError, match=rf"report.compare: .*{name}: no such file"):
        compare(*run(0.0), other, "test", BOOTSTRAP)


@pytest.mark.parametrize(
    "content",
    [
        *("{", "[]", "{}", '{"protocol": {}}'),
        '{"protocol": {"fingerprint": "abc"}}',
        '{"protocol": {"fingerprint": "abc"}, "test": 3}',
        '{"protocol": {"fingerprint": "abc"}, "test": {"model": {"psnr": 3}}}',
    ],
)
def test_damaged_files_are_named(tmp_path: Path, content: str) -> None:
    other = save(tmp_path / "other", *run(0.0))
    (other / "metrics.json").write_text(content, encoding="utf-8")
    with pytest.raises(
        ProjectError, match=r"report.compare: .*metrics.json: not written by evaluate"
    ):
        compare(*run(0.0), other, "test", BOOTSTRAP)


@pytest.mark.parametrize("column", ["sample_id", "group", "split", "method", "set"])
def test_a_table_without_a_column_is_named(tmp_path: Path, column: str) -> None:
    metrics, table = run(0.0)
    other = save(tmp_path / "other", metrics, table.drop(columns=column))
    with pytest.raises(ProjectError, match=rf"per_sample.parquet: .*no column {column}"):
        compare(*run(0.0), other, "test", BOOTSTRAP)


@pytest.fixture(scope="module")
def inputs(report_inputs) -> dict:
    metrics = distinct_metrics(METRIC_NAMES)
    metrics["protocol"] |= {"fingerprint": "abc123", "steps": 4}
    return report_inputs(8) | {"metrics": metrics}


def section_of(inputs: dict, render_report, folder: Path, **changes: object) -> str:
    """The section that compares the run with itself, after changes to the protocol."""
    other = inputs["metrics"] | {"protocol": inputs["metrics"]["protocol"] | changes}
    (folder / "metrics.json").write_text(json.dumps(other), encoding="utf-8")
    inputs["per_sample"].to_parquet(folder / "per_sample.parquet")
    params = inputs["params"].model_copy(update={"compare": str(folder)})
    page = render_report(inputs | {"params": params})
    return re.search(r'<section id="comparison">.*?</section>', page, re.DOTALL)[0]


def test_the_page_compares_equal_protocols_in_one_table(
    inputs, render_report, tmp_path: Path
) -> None:
    section = section_of(inputs, render_report, tmp_path)
    assert "same protocol" in section
    assert "undecided" in section
    assert "0.00 … 0.00" in section
    assert section.count("<img") == 1


def test_the_page_shows_what_differs_between_protocols(
    inputs, render_report, tmp_path: Path
) -> None:
    section = section_of(inputs, render_report, tmp_path, fingerprint=HOSTILE, steps=HOSTILE)
    assert "different protocols" in section
    assert section.count("<img") == 0
    assert section.count("&lt;img src=x") == 2
    assert "undecided" not in section
    assert "10.25 dB (9.75 … 10.75)" in section
