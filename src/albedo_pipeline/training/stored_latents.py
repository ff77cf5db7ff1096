"""The latents that `encode` stored, as the training of the autoencoder's decoder reads them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from diffusers import AutoencoderKL

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.provenance.lineage import check_made_from, manifest_digest
from albedo_pipeline.provenance.weights import encoder_digest
from albedo_pipeline.shards.latent_shards import LatentShards


@dataclass(frozen=True)
class StoredLatents:
    """Latents of all samples, by the row of their pair."""

    shards: LatentShards
    """The latents."""
    rows: dict[int, int]
    """Row of the latents by the row of the pair."""
    cell: int
    """Width of a latent cell, pixels."""

    def crop(
        self, kind: str, row: int, top: int, left: int, side: int, *, flipped: bool
    ) -> torch.Tensor:
        """Latent of a square of an image, float32 [C, h, w]: a part of the whole image's latent.

        Args:
            kind: `beauty` or `albedo`.
            row: row of the pair.
            top, left, side: the square in the image, in pixels, all multiples of `cell`.
            flipped: whether the square is flipped left to right.
        """
        both = self.shards.tensor(kind, self.rows[row])  # [2, C, h, w]
        latent, cells = both[int(flipped)], side // self.cell
        first, column = top // self.cell, left // self.cell
        if flipped:  # the stored one is the latent of the flipped image
            column = latent.shape[-1] - column - cells
        square = latent[:, first : first + cells, column : column + cells]
        return torch.from_numpy(square.astype(np.float32))


def open_stored_latents(
    latents: Callable[[], LatentShards], manifest: pd.DataFrame, autoencoder: AutoencoderKL
) -> StoredLatents:
    """Open the latents, and check that they are of these pairs and of this encoder.

    Args:
        latents: opens the latents that `encode` wrote.
        manifest: all samples.
        autoencoder: the autoencoder that the training begins with.

    Raises:
        ProjectError: if there are none, or they were made from other pairs or by another encoder.
    """
    try:
        shards = latents()
    except ProjectError as error:
        raise ProjectError(
            "autoencoder.training.stored_latents: no latents to train on "
            f"({error}); set it to false, or run the pipelines autoencoder, with the source that "
            "this training begins with, and encode"
        ) from error
    at_hand = {"encoder": encoder_digest(autoencoder), "pairs": manifest_digest(manifest)}
    pipelines = (
        "the pipelines autoencoder, with the source that this training begins with, and encode"
    )
    check_made_from(str(shards.folder), shards.made_from(), at_hand, pipelines)
    ids = shards.scalars["sample_id"].to_pylist()
    row_of = dict(zip(ids, range(len(ids)), strict=True))
    rows = zip(manifest["row"], manifest["sample_id"], strict=True)
    return StoredLatents(shards, {int(row): row_of[id_] for row, id_ in rows}, factor(autoencoder))
