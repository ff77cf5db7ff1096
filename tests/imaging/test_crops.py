"""Crops: aspect ratios, positions and sizes."""

import pytest

from albedo_pipeline.imaging.crops import Box, bucket_shapes, crop_boxes, nearest_shape


def test_the_ratio_1_gives_a_square() -> None:
    assert bucket_shapes(64, (1.0,), 8) == [(64, 64)]


def test_buckets_have_about_the_same_area_and_are_multiples() -> None:
    shapes = bucket_shapes(512, (1, 4 / 3, 16 / 9, 9 / 16), 64)
    assert shapes == [(512, 512), (448, 576), (384, 704), (704, 384)]
    for height, width in shapes:
        assert height * width == pytest.approx(512**2, rel=0.05)


def test_an_image_takes_the_shape_of_the_nearest_ratio() -> None:
    shapes = [(512, 512), (384, 704), (704, 384)]
    assert nearest_shape(1080, 1920, shapes) == (384, 704)
    assert nearest_shape(1920, 1080, shapes) == (704, 384)
    assert nearest_shape(100, 120, shapes) == (512, 512)


def test_the_first_crop_is_the_largest_in_the_middle() -> None:
    assert crop_boxes(20, 30, (8, 8), 1, 1.0) == [Box(0, 5, 20, 20)]


def test_further_crops_are_spread_and_stay_inside() -> None:
    boxes = crop_boxes(1000, 1600, (512, 512), 6, 0.5)
    assert len(boxes) == 6
    assert boxes[0] == Box(250, 550, 500, 500)
    for box in boxes:
        assert (box.height, box.width) == (500, 500)
        assert 0 <= box.top <= 500
        assert 0 <= box.left <= 1100
    assert len({box.left for box in boxes}) == 6


def test_equal_crops_are_returned_once() -> None:
    assert len(crop_boxes(64, 64, (8, 8), 5, 1.0)) == 1
