"""Published numbers: each has a source, and none of another protocol stands beside ours."""

from itertools import product

from albedo_pipeline.evaluation.published import (
    PublishedNumber,
    published_beside,
    published_numbers,
)
from albedo_pipeline.metrics.base import MARIGOLD_IID, OURS
from albedo_pipeline.metrics.registry import quantities

ROW = PublishedNumber(
    model="a model",
    data_set="Hypersim",
    split="IID test",
    protocol=MARIGOLD_IID,
    metric="marigold_psnr",
    value=20.5,
    source="a paper, table 3",
)


def test_every_row_has_a_source_and_a_known_metric() -> None:
    rows = published_numbers()
    assert [(row.model, row.metric, row.value) for row in rows] == [
        ("Marigold V2", "psnr", 20.78),
        ("Marigold V2", "ssim", 0.811),
        ("Marigold V2", "lpips", 0.195),
        ("Careaga and Aksoy 2024", "maw_intensity", 0.0054),
        ("Careaga and Aksoy 2024", "maw_chromaticity", 3.37),
    ]
    assert all(row.source and row.metric in {*quantities(), "lpips"} for row in rows)


def test_a_row_stands_beside_ours_if_data_set_split_and_protocol_agree() -> None:
    found = published_beside((ROW,), "Hypersim", "IID test", MARIGOLD_IID)
    assert found == {"beside": [ROW.model_dump()], "apart": []}


def test_a_row_stands_apart_with_what_differs() -> None:
    found = published_beside((ROW,), None, "IID test", OURS)
    assert found["beside"] == []
    assert found["apart"][0]["differs"] == (
        "data set: Hypersim, not stated here; protocol: marigold-iid, not albedo_pipeline"
    )


def test_no_row_of_another_protocol_reaches_ours() -> None:
    rows = published_numbers()
    places = {(row.data_set, row.split) for row in rows} | {(None, None)}
    for (data_set, split), protocol in product(places, (OURS, MARIGOLD_IID)):
        beside = published_beside(rows, data_set, split, protocol)["beside"]
        assert all(row["protocol"] == protocol for row in beside)
        assert not [row for row in beside if row["model"] == "Marigold V2"]
