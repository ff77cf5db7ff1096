"""Numbers are refused if they belong to other models or predictions than those at hand."""

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.provenance.lineage import check_models, check_predictions

DIGESTS = {"denoiser": "1", "autoencoder": "2"}


def test_numbers_of_these_models_pass() -> None:
    check_models({"lineage": DIGESTS | {"pairs": "3"}}, DIGESTS)


@pytest.mark.parametrize("name", ["denoiser", "autoencoder"])
def test_numbers_of_another_model_are_refused(name: str) -> None:
    message = f"metrics: measured with another {name} \\(0, here is {DIGESTS[name]}\\); run the"
    with pytest.raises(ProjectError, match=message):
        check_models({"lineage": DIGESTS | {name: "0"}}, DIGESTS)


@pytest.mark.parametrize("metrics", [{}, {"lineage": {"denoiser": "1"}}, {"lineage": None}])
def test_numbers_without_models_are_refused(metrics: dict) -> None:
    with pytest.raises(ProjectError, match="metrics: damaged, or from an earlier version; run the"):
        check_models(metrics, DIGESTS)


def test_numbers_of_these_predictions_pass() -> None:
    check_predictions({"lineage": {"predictions": "1"}}, "1")


@pytest.mark.parametrize("metrics", [{}, {"lineage": {}}, {"lineage": {"predictions": "0"}}])
def test_numbers_of_other_predictions_are_refused(metrics: dict) -> None:
    with pytest.raises(ProjectError, match="metrics: measured on other predictions; run the"):
        check_predictions(metrics, "1")
