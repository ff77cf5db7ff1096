"""Fixtures for all tests; they are defined in `tests/support`."""

import torch

torch.set_num_threads(1)  # small models: a second thread costs more than it gives

pytest_plugins = [
    "tests.support.evaluated_project",
    "tests.support.metric_inputs",
    "tests.support.models",
    "tests.support.object_store",
    "tests.support.pairs",
    "tests.support.projects",
    "tests.support.ray_cluster",
    "tests.support.training_fixtures",
]
