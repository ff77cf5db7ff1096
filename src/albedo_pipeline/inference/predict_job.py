"""The job of `predict`: the user's images => their albedo."""

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch

from albedo_pipeline.artifacts.user_predictions import UserImage
from albedo_pipeline.artifacts.user_results import Record, UserPrediction
from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.inference.estimator import Estimator, sampling_steps
from albedo_pipeline.inference.tiled_prediction import TiledPrediction, predict_picture
from albedo_pipeline.inference.user_images import Found, find_images, read_beauty
from albedo_pipeline.models.albedo_model import AlbedoModel, load_albedo_model
from albedo_pipeline.params import PredictParams
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.provenance.weights import configuration
from albedo_pipeline.runtime.device import pick_device

_VERSION = 1
"""Version of the way from a file to its albedo; a new one makes every result again."""
_NAMED = 5
"""Number of bad images that the final error names."""
_NO_EFFECT = {"input", "model", "revision", "device", "batch_size", "max_megapixels"}
"""Settings that change no result, and those that the model's digest covers."""


def predict_job(project_model: Callable[[], AlbedoModel], params: PredictParams) -> "PredictJob":
    """Find the images and open the model.

    Raises:
        ProjectError: if there is no image, no model, or no such device.
    """
    if params.input is None:
        raise ProjectError("predict.input: is not set: an image, a folder or a pattern")
    found, device = find_images(params.input), pick_device(params.device)
    if params.model is None:
        model = project_model()
    else:
        model = load_albedo_model(PretrainedModel(model=params.model, revision=params.revision))
    return PredictJob(found, model, device, params)


@dataclass(frozen=True)
class PredictJob:
    """Predicts the albedo of the images that were found, with one model."""

    found: Found
    model: AlbedoModel
    device: torch.device
    params: PredictParams

    @property
    def images(self) -> list[UserImage]:
        """The images, ordered by name."""
        return self.found.images

    @property
    def others(self) -> int:
        """Number of files that are no images."""
        return self.found.others

    @cached_property
    def settings(self) -> Record:
        """Facts about the run, for its page."""
        layout, digest = self._layout, self._digest
        return {
            "input": self.params.input,
            "model": self.params.model or "the project's own export",
            "model_digest": digest[:16],
            "space": self.model.space,
            "steps": sampling_steps(self.model, self.params),
            "ensemble": self.params.ensemble,
            "resolution": layout.resolution,
            "tile": layout.tile,
        }

    @cached_property
    def cache_key(self) -> str:
        """Digest of everything but the image that a result depends on."""
        settings = self.params.model_dump(mode="json", exclude=_NO_EFFECT)
        steps, layout = sampling_steps(self.model, self.params), self._layout
        sizes = [steps, layout.resolution, layout.tile]
        content = json.dumps([_VERSION, self._digest, settings, sizes])
        return hashlib.sha256(content.encode()).hexdigest()

    def make(self, image: UserImage) -> UserPrediction:
        """Read an image and predict its albedo.

        Raises:
            BadSampleError: if the image cannot be used; its message is the reason.
            ProjectError: if the device runs out of memory.
        """
        start = time.monotonic()
        beauty = read_beauty(image.path, self.params)
        try:
            predicted = predict_picture(self._estimator, beauty.stored, image.name, self._layout)
        except torch.OutOfMemoryError as error:
            raise ProjectError(
                f"{image.path}: the device ran out of memory; lower predict.tile, "
                f"predict.resolution or predict.batch_size ({one_line(error)})"
            ) from error
        seconds = round(time.monotonic() - start, 2)
        record = beauty.record | {"tiles": predicted.tiles, "seconds": seconds}
        return UserPrediction(beauty.stored, predicted.albedo, predicted.uncertainty, record)

    @cached_property
    def _estimator(self) -> Estimator:
        return Estimator.owning(self.model, self.device, self.params, self.params.precision)

    @cached_property
    def _digest(self) -> str:
        return model_digest(self.model)

    @property
    def _layout(self) -> TiledPrediction:
        params = self.params
        resolution = params.resolution or self.model.default_resolution or params.tile or 0
        return TiledPrediction(resolution, params.tile or resolution, params.overlap)


def model_digest(model: AlbedoModel) -> str:
    """Digest of weights and configuration, equal for the same model in any folder."""
    parts = [
        model.digests(),
        [configuration(network) for network in (model.denoiser.unet, model.autoencoder)],
        [model.targets, model.albedo, model.space],
    ]
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def check_all_done(predictions: dict) -> None:
    """Raise ProjectError if images could not be used; names the first of them."""
    bad = [record for record in predictions["images"] if record["reason"]]
    if bad:
        named = "; ".join(f"{r['name']}: {r['reason']}" for r in bad[:_NAMED])
        more = f"; and {len(bad) - _NAMED} more" if len(bad) > _NAMED else ""
        shares = f"{len(bad)} of {len(predictions['images'])} image(s)"
        message = f"{shares} could not be used, the others are done: {named}{more}"
        raise ProjectError("predict.input: " + " ".join(message.split()))
