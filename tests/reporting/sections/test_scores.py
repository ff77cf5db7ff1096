"""The content of metrics.json: the main split and the confidence."""

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import EvaluateParams
from albedo_pipeline.reporting.run_info import resolved_parameters
from albedo_pipeline.reporting.sections.scores import confidence, main_split


def test_metrics_without_a_split_are_an_error() -> None:
    with pytest.raises(ProjectError, match=r"evaluate\.splits"):
        main_split({"protocol": {}})
    assert main_split({"protocol": {}, "validation": {"n": 1}}) == "validation"


def test_confidence_comes_from_the_settings_else_it_is_95() -> None:
    settings = resolved_parameters({"evaluate": EvaluateParams(bootstrap={"confidence": 0.9})})
    assert confidence({"protocol": {}}, settings) == pytest.approx(90)
    assert confidence({}, {}) == 95
