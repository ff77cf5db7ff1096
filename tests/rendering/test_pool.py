"""Rendering in several processes."""

import pytest

from albedo_pipeline.rendering import RenderSettings, render_all, render_view
from albedo_pipeline.rendering.render import render_lights
from tests.support.renders import SMALL, identical


def test_neither_the_order_nor_the_number_of_processes_changes_a_bit() -> None:
    alone = {(s, v, 0): render_view(5, s, v, SMALL) for s, v in [(1, 1), (0, 0), (1, 0), (0, 1)]}
    # The first other light is the same for two lights (below) as for three.
    alone |= {(s, 0, 1): render_lights(5, s, 0, SMALL, lights=3)[1] for s in (1, 0)}
    for processes in (1, 2):
        renders = list(render_all(5, range(2), 2, 1, SMALL, processes))
        expected = [(s, v, light) for s in range(2) for v, light in [(0, 0), (0, 1), (1, 0)]]
        assert [tuple(key) for *key, _ in renders] == expected
        assert all(identical(render, alone[tuple(key)]) for *key, render in renders)


def test_a_failing_worker_ends_the_run_with_its_message() -> None:
    with pytest.raises(Exception, match=r"resolution|width|size|positive|zero"):
        list(render_all(5, range(1), 1, 0, RenderSettings(0, 1, 2), 1))
