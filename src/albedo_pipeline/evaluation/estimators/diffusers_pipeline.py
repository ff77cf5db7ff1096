"""A diffusers pipeline as it is: Marigold's own class, or one with the same interface."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import diffusers
import numpy as np
import torch
from pydantic import Field

from albedo_pipeline.errors import NotFiniteError, ProjectError, one_line
from albedo_pipeline.evaluation.estimators.base import Batch, Context, Predicted
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.inference.ensemble import ensemble_noise
from albedo_pipeline.models.albedo_model import described, model_folder
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.models.precision import DTYPES
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.provenance.weights import weights_digest


class Settings(PretrainedModel):
    """The pipeline, and the arguments of its call; null: its own default."""

    steps: int | None = Field(None, ge=1)
    """`num_inference_steps`."""
    resolution: int | None = Field(None, ge=0)
    """`processing_resolution`, pixels; 0 is the image's own size."""
    ensemble: int = Field(1, ge=1)
    """`ensemble_size`."""
    target: str = "albedo"
    """Name of the albedo among the pipeline's targets."""
    space: Literal["auto", "srgb", "linear"] = "auto"
    """Colour space of the prediction; `auto` asks the pipeline's `target_properties`."""
    seed: int = Field(2024, ge=0, lt=2**63)
    """Seed of the noise."""


@dataclass(frozen=True)
class DiffusersEstimator:
    """Calls the pipeline for one image at a time."""

    pipeline: Any
    settings: Settings
    place: int
    """Place of the albedo among the targets."""
    space: str
    about: dict[str, object]
    digests: dict[str, str]

    def predict(self, batch: Batch) -> Predicted:
        """See `AlbedoEstimator`."""
        rows = zip(batch.sample_ids, dequantize(batch.beauty), strict=True)
        return Predicted(np.concatenate([self._predict(*row) for row in rows]))

    def _predict(self, sample_id: str, beauty: np.ndarray) -> np.ndarray:
        settings = self.settings
        options: dict[str, Any] = {
            "num_inference_steps": settings.steps,
            "processing_resolution": settings.resolution,
            "ensemble_size": settings.ensemble,
        }
        if settings.resolution == 0:  # then the size of the latents is known, and so their noise
            options["latents"] = self._noise(sample_id, beauty)
        else:
            name = f"{settings.seed}\0{sample_id}".encode()
            seed = int.from_bytes(hashlib.sha256(name).digest()[:7])
            options["generator"] = torch.Generator().manual_seed(seed)
        found = self.pipeline(torch.from_numpy(beauty)[None], output_type="pt", **options)
        albedo = found.prediction[self.place : self.place + 1].float().cpu().numpy()
        if not np.isfinite(albedo).all():
            raise NotFiniteError("the pipeline gives an image that is not finite (NaN)")
        return encode_srgb(albedo) if self.space == "linear" else albedo

    def _noise(self, sample_id: str, beauty: np.ndarray) -> torch.Tensor:
        """The noise that the project's own sampler takes for the sample, [E, C', h, w]."""
        vae, unet = self.pipeline.vae, self.pipeline.unet
        cell = factor(vae)
        height, width = (-(-side // cell) for side in beauty.shape[-2:])
        shape = (unet.config.out_channels, height, width)
        noise = ensemble_noise(self.settings.seed, [sample_id], self.settings.ensemble, shape)[0]
        return noise.to(self.pipeline.device, self.pipeline.dtype)


def load(settings: Settings, context: Context) -> DiffusersEstimator:
    """Load the pipeline with the class that its folder names.

    Raises:
        ProjectError: if it cannot be loaded, or predicts no albedo.
    """
    try:
        pipeline = diffusers.DiffusionPipeline.from_pretrained(
            str(model_folder(settings.model)),
            revision=settings.revision,
            use_safetensors=True,
            dtype=DTYPES[context.precision],
        ).to(context.device)
    except Exception as error:  # a damaged folder raises errors of many types
        raise ProjectError(f"{settings.model}: {one_line(error)}") from error
    properties = getattr(pipeline, "target_properties", None) or {}
    names = properties.get("target_names", [settings.target])
    if settings.target not in names:
        raise ProjectError(f"{settings.model}: predicts {', '.join(names)}, no {settings.target!r}")
    space = settings.space
    if space == "auto":
        space = properties.get(settings.target, {}).get("prediction_space", "srgb")
    pipeline.set_progress_bar_config(disable=True)
    about = {
        "model": described(settings.model),
        "revision": settings.revision,
        "sampler": f"{type(pipeline).__name__}, diffusers {diffusers.__version__}",
        "steps": settings.steps or getattr(pipeline, "default_denoising_steps", None),
        "ensemble": settings.ensemble if settings.ensemble > 1 else None,
        "seed": settings.seed,
        "resolution": _resolution(settings.resolution, pipeline),
        "space": space,
        "precision": context.precision,
    }
    parts = {k: m for k, m in pipeline.components.items() if isinstance(m, torch.nn.Module)}
    digests = {name: weights_digest(module) for name, module in sorted(parts.items())}
    digests["configurations"] = _configurations_digest(pipeline)
    return DiffusersEstimator(
        pipeline, settings, names.index(settings.target), space, about, digests
    )


def _configurations_digest(pipeline: Any) -> str:
    """Digest of the settings that are stored with the parts, such as the scheduler's."""
    found = {
        name: {key: value for key, value in dict(part.config).items() if not key.startswith("_")}
        for name, part in pipeline.components.items()
        if isinstance(getattr(part, "config", None), Mapping)
    }
    text = json.dumps(found, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _resolution(resolution: int | None, pipeline: Any) -> object:
    if resolution is None:
        resolution = getattr(pipeline, "default_processing_resolution", None)
    return resolution or "the image's own"
