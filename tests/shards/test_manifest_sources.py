"""Samples of a manifest as sources: in the given order, with all that a row depends on."""

import numpy as np
import pandas as pd
import pytest

from albedo_pipeline.shards.index import Source
from albedo_pipeline.shards.manifest_sources import ManifestSources

MANIFEST = pd.DataFrame(
    {
        "row": [4, 7, 9],
        "sample_id": ["a", "b", "c"],
        "split": ["train", "test", "train"],
        "group": ["g", "h", "g"],
        "digest": ["1", "2", "3"],
        "exposure": [1.0, 2.0, 3.0],
    },
    index=[9, 0, 5],
)
EXPECTED = [Source("c", "3 g train"), Source("a", "1 g train"), Source("b", "2 h test")]


@pytest.fixture
def sources() -> ManifestSources:
    return ManifestSources(MANIFEST, np.array([2, 0, 1]))


def test_they_are_in_the_given_order(
    sources: ManifestSources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("albedo_pipeline.shards.manifest_sources._AT_A_TIME", 2)
    assert list(sources) == EXPECTED


def test_the_sample_of_a_source_is_its_row_of_the_manifest(sources: ManifestSources) -> None:
    assert sources.sample(0) == (9, "c", "3", "g", "train")
    assert sources.sample(2) == (7, "b", "2", "h", "test")
