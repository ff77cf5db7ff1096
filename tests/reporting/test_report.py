"""The report's page: numbers, chosen samples, escaping, size and missing inputs."""

import re

import numpy as np
import pytest

from albedo_pipeline.provenance.lineage import with_table_digests
from tests.support.report_tables import METRIC_NAMES, distinct_metrics

HOSTILE = "<img src=x onerror=alert(1)>\"&'"


@pytest.fixture(scope="module")
def plain(report_inputs, render_report) -> tuple[dict, str]:
    """The inputs of a page, not to be changed, and the page."""
    inputs = report_inputs()
    return inputs, render_report(inputs)


@pytest.fixture(scope="module")
def complete_inputs(report_inputs) -> dict:
    """Inputs with every metric, a lineage, and markup in protocol and lineage."""
    metrics = distinct_metrics(METRIC_NAMES, aurc=0.06, aurc_oracle=0.05, aurc_random=0.10)
    metrics["lineage"] = {"pairs": "26317ca3a7def", HOSTILE: HOSTILE}
    metrics["protocol"] |= {"name": HOSTILE, "fingerprint": "abc123", "steps": 4}
    return report_inputs(8) | {"metrics": metrics}


@pytest.fixture(scope="module")
def complete_page(complete_inputs, render_report) -> str:
    return render_report(complete_inputs)


def test_the_table_shows_the_means_of_metrics_json(plain) -> None:
    inputs, page = plain
    for method, scores in inputs["metrics"]["test"].items():
        if method != "n":
            assert f"{scores['psnr']['mean']:.2f}" in page, method
    assert inputs["metrics"]["protocol"]["fingerprint"] in page


def test_the_page_shows_every_score_with_its_protocol(complete_inputs, complete_page) -> None:
    section = re.search(r'<section id="scores">.*?</section>', complete_page, re.DOTALL)[0]
    for method in ("model", "beauty_as_albedo", "autoencoder_roundtrip"):
        for name in METRIC_NAMES:
            mean = complete_inputs["metrics"]["test"][method][name]["mean"]
            assert f"{mean:.4f}" in section or f"{mean:.2f}" in section, (method, name)
    assert "abc123" not in section
    assert "abc123" in complete_page.split("<summary>Protocol of the scores</summary>")[1]
    assert "AURC of the oracle: 0.050" in section


def test_lineage_is_shown_and_escaped(complete_page: str) -> None:
    run = complete_page.split('<section id="run">')[1]
    assert "26317ca3a7def" in run
    assert "<img src=x" not in complete_page
    assert complete_page.count("&lt;img src=x") >= 4


def test_without_ensemble_and_lineage_their_sections_are_missing(
    complete_inputs, render_report
) -> None:
    curves = complete_inputs["risk_coverage"].iloc[:0]
    metrics = distinct_metrics(METRIC_NAMES) | {"lineage": {}}
    page = render_report(complete_inputs | {"metrics": metrics, "risk_coverage": curves})
    assert "AURC" not in page
    assert "Data and weights" not in page


def test_a_change_of_course_is_shown(complete_inputs, render_report, complete_page) -> None:
    assert "Changes of course" not in complete_page
    changes = {"train.learning_rate.peak": [0.001, 0.0005]}
    history = [{"step": 500, "resumed_from": "step-00000500", "changes": changes}]
    page = render_report(complete_inputs | {"history": history})
    shown = "went on from step-00000500; train.learning_rate.peak: 0.001 → 0.0005"
    assert f"<dt>after step 500</dt><dd>{shown}</dd>" in page


def test_the_head_names_the_training_run(report_inputs, render_report) -> None:
    inputs = report_inputs(4)
    assert "Training run" not in render_report(inputs)
    log = with_table_digests(inputs["training_log"], {"run": "small-lr-20310203-040506"})
    head = render_report(inputs | {"training_log": log}).partition("</header>")[0]
    assert "Training run small-lr-20310203-040506" in head


def test_the_headline_follows_the_metrics(report_inputs, render_report, plain) -> None:
    inputs = report_inputs()
    scores = inputs["metrics"]["test"]
    scores["model"], scores["beauty_as_albedo"] = scores["beauty_as_albedo"], scores["model"]
    pages = plain[1], render_report(inputs)
    headlines = [re.search(r'class="headline">(.*?)</p>', p, re.DOTALL)[1] for p in pages]
    assert headlines[0] != headlines[1]


def test_markup_in_sample_names_and_reasons_is_escaped(report_inputs, render_report) -> None:
    inputs = report_inputs([f"{HOSTILE}{number}" for number in range(8)])
    inputs["quarantine"].loc[0, "reason"] = HOSTILE
    page = render_report(inputs)
    assert "<img src=x" not in page
    assert "&lt;img src=x onerror=alert(1)&gt;" in page


def test_the_page_is_one_small_file_without_requests(report_inputs, render_report) -> None:
    page = render_report(report_inputs(24, side=64, gallery=12))
    assert len(page.encode()) < 10_000_000
    links = re.findall(r"""(?:src|href)\s*=\s*["']([^"']*)""", page)
    assert links
    assert all(link.startswith(("data:", "#")) for link in links)
    assert not re.search(r"@import|url\((?![\"']?data:)", page)


def test_samples_without_a_score_are_listed_but_not_shown(report_inputs, render_report) -> None:
    inputs = report_inputs(8)
    table = inputs["per_sample"]
    table.loc[table["sample_id"] == "view_002", ["psnr", "ssim"]] = np.nan
    page = render_report(inputs)
    assert "1 more sample could not be scored and cannot be ranked: view_002" in page
    table.loc[:, "psnr"] = np.nan
    assert "No test sample has a PSNR" in render_report(inputs)


def test_the_course_of_the_autoencoder_is_drawn_and_not_listed(
    plain, report_inputs, render_report
) -> None:
    _, without = plain
    inputs = report_inputs(8)
    course = [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.25, "validation_albedo_psnr": 31.25}]
    page = render_report(inputs | {"autoencoder_report": {"source": "train", "course": course}})
    assert "The autoencoder’s training by optimiser step" in page
    assert "31.25" not in page
    assert "The autoencoder’s training by optimiser step" not in without


def test_a_log_with_only_validation_scores_counts_as_empty(report_inputs, render_report) -> None:
    inputs = report_inputs(8)
    log = inputs["training_log"].assign(validation_psnr=20.0)
    losses = ["loss", "learning_rate", "grad_norm", "ema_decay", "samples_per_second", "epoch"]
    for rows, is_empty in (
        (log.iloc[:0], True),
        (log.assign(**dict.fromkeys(losses, np.nan)), True),
        (log.iloc[:1], False),
    ):
        page = render_report(inputs | {"training_log": rows})
        assert ("The training log is empty" in page) == is_empty
