"""Predictions for the app: one at a time, with progress, and ended on request."""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from torch.nn import Module

from albedo_pipeline.artifacts.prediction_job import UserImage
from albedo_pipeline.artifacts.user_results import UserPrediction
from albedo_pipeline.errors import BadSampleError, ProjectError
from albedo_pipeline.inference.beauty_sources import SingleImages
from albedo_pipeline.inference.estimator import sampling_steps
from albedo_pipeline.inference.predict_job import PredictJob
from albedo_pipeline.inference.user_images import Found
from albedo_pipeline.models.albedo_model import AlbedoModel, described, load_albedo_model
from albedo_pipeline.params import PredictParams
from albedo_pipeline.params.base import PretrainedModel
from albedo_pipeline.params.sampling import MOST_AUGMENTATIONS, Ensemble
from albedo_pipeline.runtime.device import open_device

logger = logging.getLogger(__name__)
MOST_MEMBERS = 16
"""Largest ensemble that a user can ask for; for augmentations there is a smaller one."""

_NO_IMAGE = UserImage("", Path(), "")


class Cancelled(BadSampleError):
    """The prediction was ended because its user no longer wants it."""


@dataclass(frozen=True)
class PredictionRequest:
    """What a user chose for a prediction."""

    model: str
    """Exported folder, Hub id of a Marigold intrinsics model, or `bundled`."""
    resolution: int | None = None
    """Longer side at which the image is predicted, pixels; None: as `predict` chooses it."""
    members: int = 1
    """Number of predictions that are combined."""


@dataclass(frozen=True)
class _Opened:
    """A model in memory."""

    identity: str
    model: AlbedoModel
    params: PredictParams
    """Settings for it, with the largest image of one pass, which is measured once."""


class Predictor:
    """Opens models, and predicts one image at a time.

    The model that was used last stays open, because loading takes longer than predicting.
    """

    def __init__(self, settings: PredictParams) -> None:
        """Take the settings of `predict` for all that a user cannot choose."""
        self._settings = settings
        self._opened: _Opened | None = None
        self._one_at_a_time = threading.Lock()

    def predict(
        self,
        image: UserImage,
        request: PredictionRequest,
        is_cancelled: Callable[[], bool],
        report: Callable[[float], None],
    ) -> UserPrediction:
        """Predict the albedo of an image.

        Args:
            image: the file.
            request: what the user chose.
            is_cancelled: asked many times a second while the networks run.
            report: is told the share of the work that is done, in [0, 1].

        Raises:
            Cancelled: as soon as `is_cancelled` says so.
            BadSampleError: if the image cannot be used; its message is the reason.
            ProjectError: if the model cannot be opened, or does not fit the request.
        """
        with self._one_at_a_time:
            if is_cancelled():
                raise Cancelled("cancelled")
            job = self._job(image, request)
            total = self._calls(job) * job.passes(image)
            with _watched(job.model, is_cancelled, lambda done: report(min(1.0, done / total))):
                return job.make(image)

    def _job(self, image: UserImage, request: PredictionRequest) -> PredictJob:
        opened = self._open(request.model)
        kind = "augmentation" if opened.model.denoiser.ignores_noise else "noise"
        if kind == "augmentation" and request.members > MOST_AUGMENTATIONS:
            raise ProjectError(
                f"members: {request.members}, but this model has at most {MOST_AUGMENTATIONS}"
            )
        params = opened.params.model_copy(
            update={
                "resolution": request.resolution,
                "ensemble": Ensemble(kind=kind, members=request.members),
            }
        )
        return _job(image, request.model, opened.model, params)

    def _open(self, name: str) -> _Opened:
        identity = _identity(name)
        if self._opened is None or self._opened.identity != identity:
            self._opened = None  # so that two models are never in memory
            source = PretrainedModel(model=name, revision=self._settings.revision)
            model = load_albedo_model(source)
            logger.info("app: opened %s", described(name))
            params = self._settings.model_copy(update={"batch_size": 1, "ensemble": Ensemble()})
            largest = _job(_NO_IMAGE, name, model, params).whole_megapixels
            params = params.model_copy(update={"whole_megapixels": largest})
            self._opened = _Opened(identity, model, params)
        return self._opened

    @staticmethod
    def _calls(job: PredictJob) -> int:
        """Number of calls of blocks in one pass, by which the progress is counted."""
        ensemble, networks = job.params.ensemble, job.model
        vae = networks.autoencoder
        encoded = ensemble.members if ensemble.kind == "augmentation" else 1
        steps = sampling_steps(networks, job.params)
        return (
            encoded * len(_blocks(vae.encoder))
            + ensemble.members * steps * len(_blocks(networks.denoiser.unet))
            + ensemble.members * len(_blocks(vae.decoder))
        )


def _job(image: UserImage, name: str, model: AlbedoModel, params: PredictParams) -> PredictJob:
    device = open_device(params.device, params.precision)
    found = Found([image], 0, 0)
    return PredictJob(found, name, model, device, params, SingleImages(params))


def _identity(name: str) -> str:
    """The model's name, and when its folder was written: an export may be replaced meanwhile."""
    index = Path(name) / "model_index.json"
    return f"{name} {index.stat().st_mtime_ns}" if index.is_file() else name


def _blocks(network: Module) -> list[Module]:
    """The residual blocks of a network, between which a prediction can end."""
    return [m for name, m in network.named_modules() if name.split(".")[-2:-1] == ["resnets"]]


@contextmanager
def _watched(
    model: AlbedoModel, is_cancelled: Callable[[], bool], report: Callable[[int], None]
) -> Iterator[None]:
    """Before each block of the networks, count it, and end the prediction if it is cancelled."""
    done = 0

    def before_block(module: Module, inputs: object) -> None:
        nonlocal done
        if is_cancelled():
            raise Cancelled("cancelled")
        done += 1
        report(done)

    networks = (model.autoencoder.encoder, model.denoiser.unet, model.autoencoder.decoder)
    hooks = [b.register_forward_pre_hook(before_block) for n in networks for b in _blocks(n)]
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()
