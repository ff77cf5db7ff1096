"""A denoiser and an autoencoder as an estimator, by the project's own sampler."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np

from albedo_pipeline.evaluation.estimators.base import Batch, Context, Predicted
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.inference.ensemble import ensemble_noise
from albedo_pipeline.inference.estimator import Estimator, sampling_steps
from albedo_pipeline.inference.resampling import Resized
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.params.sampling import ProcessingSize, Sampling


class PredictionSettings(Sampling, ProcessingSize):
    """How an albedo is sampled, and at which size."""


@dataclass(frozen=True)
class NetworkEstimator:
    """Predicts a batch with one model; the noise of a sample depends on seed and name alone."""

    estimator: Estimator
    about: dict[str, object]
    digests: dict[str, str]
    resized: Resized | None = None
    """How images are resized for the prediction; None: they are not."""

    @classmethod
    def opened(
        cls,
        model: AlbedoModel,
        settings: PredictionSettings,
        context: Context,
        origin: Mapping[str, object],
    ) -> Self:
        """Move the model to its device.

        Args:
            model: the model.
            settings: how an albedo is sampled, and at which size.
            context: device and precision.
            origin: where the model comes from, for tables.
        """
        digests = model.digests()  # of the weights as they are stored
        owned = Estimator.owning(
            model, context.device, settings, context.precision, compiled=context.compiled
        )
        ensemble, resolution = settings.ensemble, settings.resolution
        about = {
            **origin,
            "sampler": "albedo_pipeline",
            "steps": sampling_steps(model, settings),
            "ensemble": f"{ensemble.members} ({ensemble.kind})" if ensemble.members > 1 else None,
            "seed": None if model.denoiser.ignores_noise else settings.seed,
            "resolution": f"{resolution} ({settings.resampling})"
            if resolution
            else "the image's own",
            "space": model.space,
            "precision": context.precision,
        }
        resized = Resized(resolution, settings.resampling) if resolution else None
        return cls(owned, about, digests, resized)

    def predict(self, batch: Batch) -> Predicted:
        """See `AlbedoEstimator`."""
        resized, beauty = self.resized, batch.beauty
        if resized is not None:
            beauty = resized.beauty(beauty)
        height, width = beauty.shape[-2:]
        noise = ensemble_noise(
            self.estimator.sampling.seed,
            batch.sample_ids,
            self.estimator.sampling.ensemble.members,
            self.estimator.latent_shape(height, width),
        )
        albedo, uncertainty = self.estimator.predict(to_tensor(beauty), noise)
        images, space = albedo.cpu().numpy(), self.estimator.model.space
        if resized is not None:
            encoded = resized.albedo(images, space, beauty, batch.beauty)
        else:
            encoded = encode_srgb(images) if space == "linear" else images
        if uncertainty is None:
            return Predicted(encoded)
        mean = uncertainty.mean(dim=1, keepdim=True).cpu().numpy()
        if resized is not None:
            mean = resized.uncertainty(mean, batch.beauty.shape[-2:])
        return Predicted(encoded, mean)

    def round_trip(self, albedo: np.ndarray) -> np.ndarray:
        """Encode and decode images uint16 [B, 3, H, W] => float32, sRGB-encoded, in [0, 1]."""
        latents = self.estimator.encode(to_tensor(albedo))
        return self.estimator.decode(latents).cpu().numpy()
