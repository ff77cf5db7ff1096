"""The denoiser, examined while it is trained: scores and pictures of its averaged weights."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

import numpy as np

from albedo_pipeline.models.denoiser import Denoiser
from albedo_pipeline.params import TrainParams
from albedo_pipeline.training.optimisation import train_mode
from albedo_pipeline.training.stepping import Parts
from albedo_pipeline.training.validation import ImageData, chosen_samples, predict, validate
from albedo_pipeline.training.visualisation import grid


@contextmanager
def _evaluating(parts: Parts) -> Iterator[Denoiser]:
    unet = parts.denoiser.unet.eval()
    try:
        yield parts.denoiser
    finally:
        train_mode(unet)


def scores_of_both(
    parts: Parts, images: ImageData, params: TrainParams, stop: Callable[[], bool]
) -> dict[str, float] | None:
    """Mean scores of the averaged weights, and as `…_raw` of the raw ones; None where it was
    stopped. All processes take part."""
    scores: dict[str, float] = {}
    for suffix, weights in (("", parts.ema.in_place()), ("_raw", nullcontext())):
        with weights, _evaluating(parts) as denoiser:
            part = validate(
                denoiser, images, params.validation, params.precision, parts.accelerator, stop
            )
        if part is None:
            return None
        scores |= {name + suffix: value for name, value in part.items()}
    return scores


def samples_grid(parts: Parts, images: ImageData, params: TrainParams) -> np.ndarray:
    """Predictions of some validation samples, of the commonest shape among them, by the averaged
    weights; uint8 [H, W, 3]."""
    split, count = params.validation.split, params.visualisation.samples
    chosen = chosen_samples(images.manifest, split, count)
    of_one_shape = max(images.pairs.batches(chosen["row"], count), key=len)
    chosen = chosen.set_index("row", drop=False).loc[of_one_shape]
    with parts.ema.in_place(), _evaluating(parts) as denoiser:
        return grid(predict(denoiser, images, chosen, params.validation, params.precision))
