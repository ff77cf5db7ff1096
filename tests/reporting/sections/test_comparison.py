"""Another run beside this one: paired where the protocols are equal, apart where they are not."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.evaluate import BootstrapParams
from albedo_pipeline.reporting.sections.comparison import compare

BOOTSTRAP = BootstrapParams(resamples=500)
COUNT = 40


def run(shift: float, fingerprint: str = "abc", steps: int = 4) -> tuple[dict, pd.DataFrame]:
    """Scores that are `shift` dB above a common, very uneven, level."""
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


def saved(folder: Path, metrics: dict, table: pd.DataFrame) -> Path:
    folder.mkdir()
    (folder / "metrics.json").write_text(json.dumps(metrics), encoding="utf-8")
    table.to_parquet(folder / "per_sample.parquet")
    return folder


def test_pairing_finds_a_difference_that_is_small_beside_the_spread(tmp_path: Path) -> None:
    other = saved(tmp_path / "other", *run(0.0))
    found = compare(*run(0.3), other, "test", BOOTSTRAP)
    assert found.fingerprints == ("abc", "abc")
    psnr, rmse = found.differences
    assert (psnr.label, psnr.verdict, psnr.n) == ("PSNR", "better", COUNT)
    assert psnr.difference.startswith("+0.3") or psnr.difference.startswith("+0.2")
    assert (rmse.label, rmse.difference, rmse.verdict) == ("RMSE", "−0.003", "better")


def test_a_run_beside_itself_is_undecided(tmp_path: Path) -> None:
    other = saved(tmp_path / "other", *run(0.0))
    found = compare(*run(0.0), other, "test", BOOTSTRAP)
    assert {row.verdict for row in found.differences} == {"undecided"}
    assert found.differences[0].difference == "0.00"


def test_worse_is_called_so(tmp_path: Path) -> None:
    other = saved(tmp_path / "other", *run(0.5))
    assert compare(*run(0.0), other, "test", BOOTSTRAP).differences[0].verdict == "worse"


def test_unlike_protocols_are_never_put_side_by_side(tmp_path: Path) -> None:
    other = saved(tmp_path / "other", *run(0.0, "xyz", steps=1))
    found = compare(*run(0.3), other, "test", BOOTSTRAP)
    assert found.fingerprints == ("abc", "xyz")
    assert found.differences == []
    assert found.protocol_differences == [("steps", "4", "1")]
    assert [name for name, _ in found.other_scores] == ["PSNR", "RMSE"]


@pytest.mark.parametrize("name", ["metrics.json", "per_sample.parquet"])
def test_missing_files_are_named(tmp_path: Path, name: str) -> None:
    other = saved(tmp_path / "other", *run(0.0))
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
    other = saved(tmp_path / "other", *run(0.0))
    (other / "metrics.json").write_text(content, encoding="utf-8")
    with pytest.raises(
        ProjectError, match=r"report.compare: .*metrics.json: not written by evaluate, or damaged"
    ):
        compare(*run(0.0), other, "test", BOOTSTRAP)


@pytest.mark.parametrize("column", ["sample_id", "group", "split", "method", "set"])
def test_a_table_without_a_column_is_named(tmp_path: Path, column: str) -> None:
    metrics, table = run(0.0)
    other = saved(tmp_path / "other", metrics, table.drop(columns=column))
    with pytest.raises(ProjectError, match=rf"per_sample.parquet: .*no column {column}"):
        compare(*run(0.0), other, "test", BOOTSTRAP)
