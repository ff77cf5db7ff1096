"""The frames of a camera move."""

import numpy as np

from albedo_pipeline.rendering import render_view
from albedo_pipeline.rendering.camera_move import _render_frame
from albedo_pipeline.rendering.cameras import Camera, orbited
from tests.support.renders import SMALL, identical


def test_a_camera_turns_around_the_upright_axis_through_its_target() -> None:
    camera = Camera(origin=np.array([3.0, 1.0, 5.0]), target=np.array([1.0, 1.0, 0.0]))
    turned = orbited(camera, np.pi / 2)
    np.testing.assert_allclose(turned.origin, [1, 3, 5], atol=1e-12)
    assert np.array_equal(turned.target, camera.target)


def test_a_move_begins_with_the_first_view_of_its_scene() -> None:
    first, second = (_render_frame(5, 0, SMALL, np.radians(3), number) for number in (0, 1))
    assert identical(first, render_view(5, 0, 0, SMALL))
    assert not identical(first, second)
    assert second.valid.mean() > 0.5
