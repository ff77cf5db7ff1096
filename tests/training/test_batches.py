"""The stream of effective batches: a pure function that uses every sample once in an epoch."""

from collections import Counter

import numpy as np
import pytest
import torch

from albedo_pipeline.diffusion.seeds import Purpose, normal
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.training.batches import Source, Stream, sample_at, source_at, usable

FIELDS = ("beauty", "albedo", "valid", "noise", "timesteps")


@pytest.fixture
def stream(latents, train_params):
    """Makes the stream of a small training, with changed settings."""
    return lambda **changes: Stream([usable(latents, "train")], train_params(**changes))


def test_a_batch_does_not_depend_on_earlier_batches(stream) -> None:
    drawn = stream()
    later = drawn.batch(9, range(4))
    for step in range(9):
        drawn.batch(step, range(4))
    again = stream().batch(9, range(4))
    for name in FIELDS:
        assert torch.equal(getattr(later, name), getattr(again, name)), name


@pytest.mark.parametrize("noise", ["gaussian", "multi_resolution"])
def test_a_batch_drawn_in_parts_is_the_same_batch(stream, noise: str) -> None:
    drawn = stream(noise={"kind": noise})
    whole = drawn.batch(2, range(4))
    parts = [drawn.batch(2, range(start, start + 1)) for start in range(4)]
    for name in FIELDS:
        joined = torch.cat([getattr(part, name) for part in parts])
        assert torch.equal(getattr(whole, name), joined), name


def test_gaussian_noise_is_a_function_of_seed_step_and_place(stream) -> None:
    batch = stream().batch(7, range(4))
    for place in range(4):
        expected = normal(5, Purpose.NOISE, 7, place, (4, 8, 8))
        assert torch.equal(batch.noise[place], expected)


def test_every_epoch_uses_every_sample_once_in_another_order() -> None:
    epochs = [[sample_at(11, 5, epoch * 11 + i) for i in range(11)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(11)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_flipping_takes_the_flipped_version_of_all_three(stream, latents) -> None:
    rows = usable(latents, "train").rows
    first = rows[sample_at(len(rows), 5, 0)]
    for flip, version in ((0.0, 0), (1.0, 1)):
        batch = stream(flip_probability=flip).batch(0, range(1))
        for name in ("beauty", "albedo", "valid"):
            expected = latents.tensor(name, first)[version]
            np.testing.assert_array_equal(getattr(batch, name)[0].numpy(), expected)


def test_a_sample_without_a_valid_cell_is_never_used(stream, latents) -> None:
    assert len(stream()) == 10
    assert 3 not in usable(latents, "train").rows
    assert "s3" not in {i for step in range(10) for i in stream().sample_ids(step)}


def test_timesteps_are_spread_over_the_whole_range(stream) -> None:
    drawn = torch.cat([stream().batch(step, range(4)).timesteps for step in range(100)])
    assert drawn.min() < 30
    assert drawn.max() > 970
    assert abs(drawn.float().mean() - 499.5) < 50


@pytest.mark.parametrize("shares", [(1.0,), (0.7, 0.3), (0.5, 0.2, 0.3), (0.01, 0.99)])
def test_a_mixture_keeps_its_shares_and_uses_each_source_in_order(
    shares: tuple[float, ...],
) -> None:
    counts = [0] * len(shares)
    for position in range(1000):
        source, place = source_at(shares, position)
        assert place == counts[source]  # so every position of a source comes once, in order
        counts[source] += 1
        for count, share in zip(counts, shares, strict=True):
            assert abs(count - share * (position + 1)) < 2


def test_a_mixture_draws_from_both_sets(latents, train_params) -> None:
    mixture = {"mixture": {"a": 3, "b": 1}}
    source = usable(latents, "train")
    other = type(source)(latents, source.rows[:2])
    drawn = Stream([source, other], train_params(**mixture))
    few = {latents.scalars["sample_id"][int(r)].as_py() for r in other.rows}
    ids = [i for step in range(50) for i in drawn.sample_ids(step)]
    # One quarter comes from the small set; of the rest, two samples of ten are the same.
    assert sum(i in few for i in ids) == pytest.approx(200 * (1 / 4 + 3 / 4 * 2 / 10), abs=6)


class Shaped:
    """Stands for latents of given shapes."""

    folder = "other"

    def __init__(self, shapes: list[tuple[int, int, int]]) -> None:
        self._shapes = np.array([(2, *shape) for shape in shapes])

    def shapes(self, name: str) -> np.ndarray:
        return self._shapes


def source_of(shapes: list[tuple[int, int, int]]) -> Source:
    return Source(Shaped(shapes), np.arange(len(shapes)))


def test_sets_of_different_channels_are_named(latents, train_params) -> None:
    source = usable(latents, "train")
    with pytest.raises(ProjectError, match=r"other: latents of 8 channels, but .* has 4"):
        Stream([source, source_of([(8, 8, 8)])], train_params())


def test_a_step_has_one_shape_and_an_epoch_has_every_sample(train_params) -> None:
    shapes = [(4, 8, 8)] * 12 + [(4, 6, 12)] * 8
    drawn = Stream([source_of(shapes)], train_params())
    visits = [[drawn._find(step, place) for place in range(4)] for step in range(10)]
    for step in visits:
        shapes = {tuple(source.latents.shapes("")[source.rows[i]]) for source, i in step}
        assert len(shapes) == 1
    seen = Counter(int(source.rows[i]) for step in visits for source, i in step)
    assert seen == dict.fromkeys(range(20), 2)  # two epochs: 12 and 8 samples, four in a step


def test_a_mixture_keeps_its_shares_for_several_shapes(train_params) -> None:
    first = source_of([(4, 8, 8)] * 30 + [(4, 6, 12)] * 10)
    second = source_of([(4, 6, 12)] * 5)
    drawn = Stream([first, second], train_params(mixture={"a": 1, "b": 1}))
    found = [drawn._find(step, place)[0] for step in range(400) for place in range(4)]
    of_second = sum(source.latents is second.latents for source in found)
    assert of_second == pytest.approx(800, abs=12)
    wide = sum(source.latents.shapes("")[source.rows[0], 2] == 6 for source in found)
    assert wide == pytest.approx(1600 * (0.5 * 0.25 + 0.5), abs=12)


def test_the_strength_of_the_noise_may_change_with_the_step(latents, train_params) -> None:
    """Until step 2 the noise is that of strength 0, from step 4 on that of strength 0.9."""
    source, kind = [usable(latents, "train")], "multi_resolution"
    changing, none, full = (
        Stream(source, train_params(noise={"kind": kind, "strength": strength}))
        for strength in ((2, 0.0, 0.9, 4), 0.0, 0.9)
    )
    for step in range(6):
        noise = [stream.batch(step, range(4)).noise for stream in (changing, none, full)]
        assert torch.equal(noise[0], noise[1]) == (step <= 2)
        assert torch.equal(noise[0], noise[2]) == (step >= 4)
