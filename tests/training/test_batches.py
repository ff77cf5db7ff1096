"""The stream of effective batches: a pure function, every sample once an epoch."""

import numpy as np
import torch

from albedo_pipeline.training.batches import draw_batch, usable_rows, visited


def draw(latents, step, size=4, flip=0.5):
    return draw_batch(latents, usable_rows(latents, "train"), 5, step, size, flip, 1000)


def test_a_batch_depends_on_nothing_drawn_before(latents) -> None:
    later = draw(latents, 9)
    for step in range(9):
        draw(latents, step)
    again = draw(latents, 9)
    for name in ("beauty", "albedo", "valid", "noise", "timesteps"):
        assert torch.equal(getattr(later, name), getattr(again, name)), name


def test_every_epoch_visits_every_sample_once_in_another_order() -> None:
    epochs = [[visited(11, 5, epoch * 11 + i) for i in range(11)] for epoch in range(3)]
    assert all(sorted(epoch) == list(range(11)) for epoch in epochs)
    assert epochs[0] != epochs[1] != epochs[2]


def test_flipping_takes_the_flipped_version_of_all_three(latents) -> None:
    rows = usable_rows(latents, "train")
    first = rows[visited(len(rows), 5, 0)]
    for flip, version in ((0.0, 0), (1.0, 1)):
        batch = draw(latents, 0, flip=flip)
        for name in ("beauty", "albedo", "valid"):
            np.testing.assert_array_equal(
                getattr(batch, name)[0].numpy(), latents.tensor(name, first)[version]
            )


def test_a_sample_without_a_valid_cell_never_comes(latents) -> None:
    rows = usable_rows(latents, "train")
    assert len(rows) == 10
    assert 3 not in rows


def test_timesteps_are_spread_over_the_whole_range(latents) -> None:
    drawn = torch.cat([draw(latents, step).timesteps for step in range(100)])
    assert drawn.min() < 30
    assert drawn.max() > 970
    assert abs(drawn.float().mean() - 499.5) < 50
