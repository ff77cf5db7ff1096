"""The job of `predict`: the user's images => their albedo."""

import hashlib
import json
import logging
import time
from dataclasses import dataclass, field, replace
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch

from albedo_pipeline.artifacts.prediction_job import UserImage, UserSequence
from albedo_pipeline.artifacts.user_results import Record, UserPrediction
from albedo_pipeline.errors import BadSampleError, NotFiniteError, ProjectError, one_line
from albedo_pipeline.inference.beauty_sources import BeautySource, Frames, SingleImages
from albedo_pipeline.inference.cost import LARGEST_PASS, Cost, largest_pass, measure_cost
from albedo_pipeline.inference.estimator import Estimator, sampling_steps
from albedo_pipeline.inference.resampling import processing_size
from albedo_pipeline.inference.sequences import find_sequences
from albedo_pipeline.inference.tiled_prediction import (
    TiledPrediction,
    predict_image,
)
from albedo_pipeline.inference.user_images import Found, find_images
from albedo_pipeline.models.albedo_model import (
    AlbedoModel,
    described,
    load_albedo_model,
    project_model_name,
)
from albedo_pipeline.models.autoencoder import factor
from albedo_pipeline.params import PredictParams
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.provenance.weights import configuration
from albedo_pipeline.runtime.device import device_for, is_out_of_memory, open_device
from albedo_pipeline.runtime.ray_pool import Cluster

logger = logging.getLogger(__name__)

_VERSION = 4
"""Version of the way from a file to its albedo; a new one makes every result again."""
_NAMED = 5
"""Number of bad images that the final error names."""
_LARGEST_SCALE = 4
"""Longer side at which an image is predicted by default, over that which the model is made for."""
_NO_EFFECT = {
    "input",
    "model",
    "revision",
    "device",
    "batch_size",
    "max_megapixels",
    "compute",
    "frames_per_second",
}
"""Settings that change no result, and those that the model's digest covers."""


def predict_job(
    project_model: Path, params: PredictParams, model: AlbedoModel | None = None
) -> "PredictJob":
    """Find the images and open the model.

    Args:
        project_model: folder of the project's own export; it need not exist.
        params: settings; without a model in them, the export predicts if there is one, or else the
            estimator that ships with the package.
        model: the trained model, if it is open already; it predicts instead.

    Raises:
        ProjectError: if there is no image, no model, or no such device.
    """
    if not params.input:
        raise ProjectError("predict.input: is not set: an image, a folder or a pattern")
    _check_video(params)
    found = find_images(params.input, videos=params.sequence)
    sequences: list[UserSequence] = []
    source: BeautySource = SingleImages(params)
    if params.sequence:
        images, sequences = find_sequences(found.images, params.frames_per_second)
        found, source = replace(found, images=images), Frames(params, sequences)
    device = device_for(params.device, params.precision, params.compute.worker_gpus)
    name = params.model or project_model_name(project_model)
    if model is None:
        model = load_albedo_model(PretrainedModel(model=name, revision=params.revision))
    else:
        name = "the trained model"
    logger.info("The albedo is predicted with %s.", described(name))
    return PredictJob(found, name, model, device, params, source, sequences)


@dataclass(frozen=True)
class PredictJob:
    """Predicts the albedo of the images that were found, with one model."""

    found: Found
    model_name: str
    """Folder or Hub id of the model, or `bundled`."""
    model: AlbedoModel
    device: torch.device
    params: PredictParams
    source: BeautySource
    """Reads the images."""
    sequences: list[UserSequence] = field(default_factory=list)
    """Sequences of frames among the images."""

    @property
    def images(self) -> list[UserImage]:
        """The images, ordered by name."""
        return self.found.images

    @property
    def cluster(self) -> Cluster | None:
        """Where the workers run; None if this process predicts."""
        compute = self.params.compute
        if compute.engine == "local":
            return None
        # The bits of a prediction depend on the number of threads, so workers use as many.
        threads = torch.get_num_threads()
        return Cluster(compute.address, compute.workers, compute.gpus_per_worker, threads)

    def plan(self, images: list[UserImage]) -> str:
        """Size of the work, and about how much time and memory it takes, for the log."""
        if self.cluster:
            return f"{len(images)} image(s) for the workers of Ray"
        sizes = [size for size in map(self.source.size, images) if size]
        if not sizes:
            return "no image can be read"
        layout, cost = self._layout, self._cost
        processed = [processing_size(*size, layout.smallest, layout.largest) for size in sizes]
        pixels = [height * width for height, width in processed]
        tiled = sum(layout.is_tiled(*size) for size in processed)
        # Tiles overlap, and the complete image is predicted too.
        passes = [n / (1 - layout.overlap) ** 2 + layout.whole_pixels for n in pixels]
        seconds = cost.seconds * sum(
            passes[i] if layout.is_tiled(*size) else pixels[i] for i, size in enumerate(processed)
        )
        memory = cost.bytes * min(max(pixels), layout.whole_pixels) * self.params.batch_size
        megapixels = sum(height * width for height, width in sizes) / 1e6
        return (
            f"{megapixels:.3g} megapixels in {len(sizes)} image(s), predicted at "
            f"{sum(pixels) / 1e6:.3g}; about {seconds / len(sizes):.2g} s per image and "
            f"{memory / 2**30:.2g} GiB of memory; {tiled} in tiles, because they are larger than "
            f"{layout.whole_pixels / 1e6:.3g} megapixels"
        )

    def passes(self, image: UserImage) -> int:
        """Number of times that parts of an image go through the networks; 1 if it is unreadable."""
        size = self.source.size(image)
        return self._layout.passes(*size, factor(self.model.autoencoder)) if size else 1

    @property
    def whole_megapixels(self) -> float:
        """Size up to which an image is predicted in one pass; measured if no setting says it."""
        return self._layout.whole_pixels / 1e6

    @property
    def others(self) -> int:
        """Number of files that are no images."""
        return self.found.others

    @property
    def companions(self) -> int:
        """Number of companion files that were passed over."""
        return self.found.companions

    @property
    def files(self) -> OutputParams:
        """The files that are written of each albedo."""
        return self.params.output

    @cached_property
    def settings(self) -> Record:
        """Facts about the run, for its page."""
        digest = self._digest
        return {
            "input": self.params.input,
            "model": described(self.model_name),
            "model_digest": digest[:16],
            "space": self.model.space,
            "output": self.files.model_dump(),
            "steps": sampling_steps(self.model, self.params),
            "ensemble": self.params.ensemble.members,
            "ensemble_kind": self.params.ensemble.kind,
            "resolution": self._sides[1],
            "whole_megapixels": self.params.whole_megapixels or "as the memory allows",
        }

    @cached_property
    def cache_key(self) -> str:
        """Digest of everything but the image that a result depends on."""
        settings = self.params.model_dump(mode="json", exclude=_NO_EFFECT)
        del settings["output"]["video"]
        if not settings["sequence"]:
            del settings["sequence"]
        # The limit of one pass is left out if it follows from the memory that is free now.
        steps, (smallest, largest) = sampling_steps(self.model, self.params), self._sides
        content = json.dumps([_VERSION, self._digest, settings, [steps, smallest, largest]])
        return hashlib.sha256(content.encode()).hexdigest()

    def make(self, image: UserImage) -> UserPrediction:
        """Read an image and predict its albedo.

        Raises:
            BadSampleError: if the image cannot be used or predicted; its message is the reason.
        """
        start = time.monotonic()
        try:
            beauty, noise = self.source.read(image), self.source.noise_name(image)
            predicted = predict_image(self._estimator, beauty.stored, noise, self._layout)
        except BadSampleError:
            raise
        except NotFiniteError as error:
            raise BadSampleError(f"predict.precision {self.params.precision}: {error}") from error
        except Exception as error:  # whatever it is, the other images are still predicted
            raise BadSampleError(self._reason(error)) from error
        seconds = round(time.monotonic() - start, 2)
        record = beauty.record | {"tiles": predicted.tiles, "seconds": seconds}
        return UserPrediction(beauty.stored, predicted.albedo, predicted.uncertainty, record)

    def beauty(self, image: UserImage) -> np.ndarray:
        """An image as the model sees it, uint16 [H, W, 3], sRGB-encoded.

        Raises:
            BadSampleError: if the image cannot be used.
        """
        return self.source.read(image).stored

    @cached_property
    def _estimator(self) -> Estimator:
        # In the process that predicts, which may be a worker.
        device = open_device(self.device.type, self.params.precision)
        return Estimator.owning(self.model, device, self.params, self.params.precision)

    @cached_property
    def _digest(self) -> str:
        return model_digest(self.model)

    @cached_property
    def _cost(self) -> Cost:
        return measure_cost(self._estimator)

    @property
    def _sides(self) -> tuple[int, int]:
        """Longer sides between which images are predicted at their own size; 0 is no limit."""
        if self.params.resolution:
            return self.params.resolution, self.params.resolution
        made_for = self.model.default_resolution or 0
        return made_for, _LARGEST_SCALE * made_for

    @cached_property
    def _layout(self) -> TiledPrediction:
        params = self.params
        if params.whole_megapixels:
            whole = max(1, int(params.whole_megapixels * 1e6))
        elif params.compute.engine == "ray":  # so that every worker divides an image alike
            whole = LARGEST_PASS
        else:
            whole = largest_pass(self._cost, self._estimator)
        return TiledPrediction(*self._sides, whole, params.tile or 0, params.overlap)

    def _reason(self, error: Exception) -> str:
        text = one_line(error)
        if is_out_of_memory(error):
            if self.device.type == "cuda":
                torch.cuda.empty_cache()
            return (
                "not enough memory; lower predict.whole_megapixels (it is "
                f"{self._layout.whole_pixels / 1e6:.3g}), predict.resolution or "
                f"predict.batch_size ({text})"
            )
        logger.debug("the prediction failed", exc_info=error)
        return f"the prediction failed: {type(error).__name__}: {text}"


def _check_video(params: PredictParams) -> None:
    """Raise ProjectError if the video of a sequence cannot be written."""
    if params.sequence and params.output.video == "mp4" and not find_spec("av"):
        raise ProjectError(
            "predict.output.video: mp4 needs PyAV; run pip install 'albedo_pipeline[video]', or "
            "set it to gif or null"
        )


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
