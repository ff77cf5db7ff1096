"""Ensembles: the noise of each member, and how the members are combined to one prediction."""

import hashlib

import torch

from albedo_pipeline.diffusion.seeds import Purpose, normal


def combine(members: torch.Tensor, reduction: str) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Combine members [B, E, ...] to prediction and uncertainty, [B, ...] each.

    The uncertainty is None for an ensemble of one. With `mean` it is the standard deviation (over
    n - 1), with `median` the median absolute deviation; the median of an even number is the lower
    one. Marigold's pipelines in diffusers compute the same four.
    """
    if reduction == "mean":
        spread = members.std(dim=1) if members.shape[1] > 1 else None
        return members.mean(dim=1), spread
    middle = members.median(dim=1, keepdim=True).values
    if members.shape[1] == 1:
        return middle.squeeze(1), None
    return middle.squeeze(1), (members - middle).abs().median(dim=1).values


def sample_noise(seed: int, sample_ids: list[str], member: int, shape: tuple) -> torch.Tensor:
    """Noise that sampling starts from, standard normal [B, *shape].

    It is a function of seed, sample_id and ensemble member, and so depends neither on the batch nor
    on the order.
    """
    places = [int.from_bytes(hashlib.sha256(i.encode()).digest()[:8], "big") for i in sample_ids]
    return torch.stack([normal(seed, Purpose.SAMPLING, place, member, shape) for place in places])


def ensemble_noise(seed: int, sample_ids: list[str], members: int, shape: tuple) -> torch.Tensor:
    """`sample_noise` of all ensemble members of all samples, [B, E, *shape]."""
    noise = [sample_noise(seed, sample_ids, member, shape) for member in range(members)]
    return torch.stack(noise, dim=1)
