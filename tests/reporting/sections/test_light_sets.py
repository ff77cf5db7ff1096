"""Light sets: which sets and lights are shown, and their strips."""

import re
from pathlib import Path

import numpy as np
import pandas as pd

from albedo_pipeline.reporting.sections.light_sets import MAX_LIGHTS, light_sets, picture_count
from tests.support.report_variants import with_ensemble

HOSTILE = "\"'><img src=x onerror=window.hit=1>"
ESCAPED = "&#34;&#39;&gt;&lt;img src=x onerror=window.hit=1&gt;"


def table_of(errors: list[float], lights: int = 2) -> pd.DataFrame:
    """One light set per constancy error."""
    rows = [
        {"sample_id": f"s{number}-{light:02d}", "set": f"s{number}-00", "constancy": error}
        for number, error in enumerate(errors)
        for light in range(lights)
    ]
    return pd.DataFrame(rows).assign(split="test", method="model")


def test_the_best_the_median_and_the_worst_set_are_chosen() -> None:
    sets = light_sets(table_of([0.3, 0.1, 0.5, 0.2, 0.4]), "test")
    assert [(item.rank, item.error) for item in sets] == [
        ("best", "0.100"),
        ("median", "0.300"),
        ("worst", "0.500"),
    ]
    assert sets[0].samples == ["s1-00", "s1-01"]
    assert picture_count(sets) == 15
    assert light_sets(table_of([0.3]), "test")[0].rank == "the only set"
    assert light_sets(table_of([np.nan]), "test") == []
    assert light_sets(table_of([0.3]), "validation") == []


def test_of_many_lights_some_are_shown_and_all_are_counted() -> None:
    (only,) = light_sets(table_of([0.3], lights=25), "test")
    assert only.lights == 25
    assert len(only.samples) == MAX_LIGHTS
    assert only.samples[0] == "s0-00"
    assert only.samples[-1] == "s0-24"


def test_a_strip_shows_the_set_with_its_truth(report_inputs, render_report, tmp_path: Path) -> None:
    ids = [f"view_{number}" for number in range(11)] + [HOSTILE + "0", HOSTILE + "1"]
    inputs = with_ensemble(report_inputs(ids), tmp_path, ["view_0", "view_2", HOSTILE + "1"])
    page = render_report(inputs)
    strip = re.search(r'<section id="constancy">.*?</section>', page, re.DOTALL)[0]
    assert strip.count("Predicted albedo of") == 3
    assert strip.count("True albedo") == 1
    assert "constancy error 0.025, 3 lights" in strip
    assert ESCAPED in strip
    assert "<img src=x" not in page
