"""Several predictions of one image => one, and how much they disagree."""

import torch


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
