"""Details of the run: parameters with defaults, date, code and packages."""

from datetime import UTC, datetime
from pathlib import Path

from albedo_pipeline.params import ReportParams
from albedo_pipeline.reporting.run_info import as_yaml, code_state, resolved_parameters, run_details


def test_parameters_are_shown_with_their_defaults() -> None:
    shown = resolved_parameters(
        {"report": {"gallery": 3}, "ingest": {"wrong": 1}, "mine": {"a": (1, 2)}}
    )
    assert shown["report"] == ReportParams(gallery=3).model_dump()
    assert shown["ingest"] == {"wrong": 1}
    assert "title: Albedo estimator" in as_yaml(shown)


def test_parameters_read_in_another_order_are_shown_the_same() -> None:
    one = {"train": {"seed": 1}, "mine": {"b": 1, "a": 2}}
    other = dict(reversed(one.items()))
    assert as_yaml(resolved_parameters(other)) == as_yaml(resolved_parameters(one))
    assert list(resolved_parameters(one)["mine"]) == ["b", "a"]


def test_facts_hold_date_code_and_packages_but_no_path(tmp_path: Path) -> None:
    facts = dict(
        run_details({"train": {"seed": 7}}, tmp_path, datetime(2031, 2, 3, 4, 5, tzinfo=UTC))
    )
    assert facts["Date"] == "2031-02-03 04:05 UTC"
    assert facts["train: seed"] == "7"
    assert "torch" in facts["Packages"]
    assert str(tmp_path) not in " ".join(facts.values())
    assert code_state(tmp_path).startswith("commit unknown")
