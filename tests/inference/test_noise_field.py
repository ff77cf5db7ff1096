"""The noise field: any part of it is the same as in the complete field."""

import pytest
import torch

from albedo_pipeline.inference.noise_field import field_noise

ROWS, COLUMNS = slice(60, 70), slice(100, 150)


@pytest.fixture(scope="module")
def field() -> torch.Tensor:
    return field_noise(1, "a", 2, 4, slice(0, 150), slice(0, 200))


def test_a_part_is_the_same_as_in_the_complete_field(field: torch.Tensor) -> None:
    part = field_noise(1, "a", 2, 4, ROWS, COLUMNS)
    assert torch.equal(part, field[:, :, ROWS, COLUMNS])


def test_it_is_standard_normal(field: torch.Tensor) -> None:
    assert abs(field.mean()) < 0.01
    assert abs(field.std() - 1) < 0.01


def test_members_and_blocks_differ(field: torch.Tensor) -> None:
    assert not torch.equal(field[0], field[1])
    assert not torch.equal(field[:, :, :64, :64], field[:, :, 64:128, :64])


@pytest.mark.parametrize(("seed", "name"), [(2, "a"), (1, "b")])
def test_another_seed_or_name_gives_another_field(field, seed: int, name: str) -> None:
    part = field_noise(seed, name, 2, 4, ROWS, COLUMNS)
    assert not torch.equal(part, field[:, :, ROWS, COLUMNS])


def test_a_name_that_is_not_utf_8_can_be_used() -> None:
    field_noise(1, "not UTF-8: \udcff", 1, 1, slice(0, 1), slice(0, 1))
