"""The images that the autoencoder is trained on: counter-based draws, and shares of the kinds."""

from pathlib import Path

import numpy as np
import pytest
import torch

from albedo_pipeline.params.autoencoder_training import AutoencoderTraining
from albedo_pipeline.training.image_batches import ImageStream
from tests.support.autoencoder_training import save_pairs

ROWS = np.arange(6)


def stream(folder: Path, side: int = 8, **changes) -> ImageStream:
    settings = {"max_steps": 5, "effective_batch_size": 4} | changes
    params = AutoencoderTraining.model_validate(settings)
    return ImageStream(save_pairs(folder / "pairs"), ROWS, params, side, (4, 4, 4))


def test_a_batch_does_not_depend_on_how_it_is_divided(tmp_path: Path) -> None:
    images = stream(tmp_path)
    whole, parts = images.batch(3, range(4)), [images.batch(3, range(i, i + 1)) for i in range(4)]
    assert torch.equal(whole.images, torch.cat([part.images for part in parts]))
    assert torch.equal(whole.noise, torch.cat([part.noise for part in parts]))
    assert torch.equal(whole.mix, torch.cat([part.mix for part in parts]))
    assert whole.images.shape == (4, 3, 8, 8)
    assert whole.mix.shape == (4,)
    assert ((whole.mix >= 0) & (whole.mix < 1)).all()
    assert whole.noise.shape == (4, 4, 4, 4)


def test_other_steps_and_seeds_give_other_images(tmp_path: Path) -> None:
    one = stream(tmp_path)
    other = ImageStream(one._pairs, ROWS, one._params.model_copy(update={"seed": 1}), 8, (4, 4, 4))
    first = one.batch(0, range(4))
    assert not torch.equal(first.noise, one.batch(1, range(4)).noise)
    assert not torch.equal(first.noise, other.batch(0, range(4)).noise)
    assert not torch.equal(first.mix, one.batch(1, range(4)).mix)
    assert not torch.equal(first.mix, other.batch(0, range(4)).mix)


@pytest.mark.parametrize(("share", "bright"), [(0.0, 0), (0.25, 3), (0.5, 6), (1.0, 12)])
def test_albedo_has_its_share(tmp_path: Path, share: float, bright: int) -> None:
    """The albedo of the samples is bright, their beauty dark."""
    images = stream(tmp_path, albedo_share=share)
    drawn = torch.cat([images.batch(step, range(4)).images for step in range(3)])
    assert int((drawn.mean(dim=(1, 2, 3)) > 0).sum()) == bright
    assert len(images) == (6 if share in (0.0, 1.0) else 12)


def test_an_epoch_has_every_image_once(tmp_path: Path) -> None:
    images = stream(tmp_path)
    ids = [sample_id for step in range(3) for sample_id in images.sample_ids(step)]
    assert sorted(ids) == sorted([f"s{i}" for i in range(6)] * 2)
