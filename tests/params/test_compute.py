"""The setting `compute`."""

import pytest

from albedo_pipeline.params import IngestParams
from albedo_pipeline.params.compute import LOCAL, ComputeParams


def test_the_default_is_this_process() -> None:
    assert IngestParams(resolution=16).compute == LOCAL
    assert LOCAL.worker_gpus is None


def test_workers_of_ray_have_the_gpus_that_are_set() -> None:
    assert ComputeParams(engine="ray").worker_gpus == 0
    assert ComputeParams(engine="ray", gpus_per_worker=0.5).worker_gpus == 0.5


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"workers": 2, "address": "auto"}, "compute: address and workers need engine 'ray'"),
        ({"engine": "dask"}, "compute.engine: Input should be 'local' or 'ray'"),
        ({"engine": "ray", "workers": 0}, "compute.workers: Input should be greater"),
        ({"engine": "ray", "gpus_per_worker": 2}, "compute.gpus_per_worker: Input should be less"),
        ({"engine": "ray", "gpus": 1}, "compute.gpus: no such key"),
    ],
)
def test_wrong_settings_are_refused(settings: dict, message: str) -> None:
    with pytest.raises(ValueError, match="^" + message.replace(".", r"\.")):
        IngestParams.model_validate({"resolution": 16, "compute": settings})
