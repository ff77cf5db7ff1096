"""Fixtures for all tests; they are defined in `tests/support`."""

import pytest

FIXTURES = (
    "evaluated_project",
    "metric_inputs",
    "models",
    "object_store",
    "pairs",
    "projects",
    "ray_cluster",
    "training_fixtures",
)


def pytest_configure(config: pytest.Config) -> None:
    """Import the fixtures, and torch with them, but not in a process that only distributes tests.

    pytest-xdist starts its workers after this process is configured, and importing takes seconds.
    """
    if config.getoption("dist", "no") != "no":
        return
    import torch

    torch.set_num_threads(1)  # small models: a second thread costs more than it gives
    for name in FIXTURES:
        config.pluginmanager.import_plugin(f"tests.support.{name}")
