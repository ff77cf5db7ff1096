"""Several predictions of one image => one, and how much they disagree."""

import hashlib

import torch

from albedo_pipeline.diffusion.seeds import Purpose, normal


def combine(members: torch.Tensor, reduction: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Prediction and uncertainty, [B, ...] each, of members [B, E, ...]; one alone tells none.

    `mean` goes with the standard deviation (n - 1), `median` with the median absolute deviation;
    of an even number the lower median. Marigold's pipelines in diffusers have the same four.
    """
    if reduction == "mean":
        spread = members.std(dim=1) if members.shape[1] > 1 else None
        return members.mean(dim=1), spread
    middle = members.median(dim=1, keepdim=True).values
    if members.shape[1] == 1:
        return middle.squeeze(1), None
    return middle.squeeze(1), (members - middle).abs().median(dim=1).values


def sample_noise(seed: int, sample_ids: list[str], member: int, shape: tuple) -> torch.Tensor:
    """The noise that each sample starts from, [B, *shape]: a function of seed, sample_id and
    ensemble member, so that it depends on no batch and no order."""
    places = [int.from_bytes(hashlib.sha256(i.encode()).digest()[:8], "big") for i in sample_ids]
    return torch.stack([normal(seed, Purpose.SAMPLING, place, member, shape) for place in places])


def ensemble_noise(seed: int, sample_ids: list[str], members: int, shape: tuple) -> torch.Tensor:
    """`sample_noise` of all members of all samples, [B, E, *shape]."""
    noise = [sample_noise(seed, sample_ids, member, shape) for member in range(members)]
    return torch.stack(noise, dim=1)
