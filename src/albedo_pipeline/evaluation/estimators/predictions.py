"""A folder of predictions made by anybody: EXR, PNG, NPY and others, named by sample."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.estimators.base import Batch, Context, Predicted
from albedo_pipeline.imaging.colour import encode_srgb, to_linear
from albedo_pipeline.imaging.declarations import DeclaredSpace, ReadOptions
from albedo_pipeline.imaging.io.read import read_colour
from albedo_pipeline.imaging.resize import resize_image
from albedo_pipeline.params.base import Params

_SUFFIX = "_albedo"
"""What `predict` adds to the name of an image."""
_MAX_PIXELS = 2**28


class Settings(Params):
    """Where the files are, and what their numbers mean."""

    folder: Path
    """Folder with one file for each sample: `SAMPLE.exr`, or `SAMPLE_albedo.exr` as `predict` names
    it, in any format that images are read in; the sample `a/b` is the file `b` in the folder `a`.
    A file of another size than the sample is resized in linear light."""
    colour_space: DeclaredSpace = "auto"
    """Colour space of the files; `auto` goes by their tags, and takes files without one as linear
    if they hold floats, else as sRGB-encoded."""


@dataclass(frozen=True)
class PredictionFiles:
    """Reads the estimate of a sample from its file."""

    settings: Settings
    files: dict[str, Path]
    """File by the name of its sample."""
    about: dict[str, object]
    digests: dict[str, str]

    def predict(self, batch: Batch) -> Predicted:
        """See `AlbedoEstimator`."""
        size = batch.beauty.shape[-2:]
        return Predicted(np.stack([self._read(name, *size) for name in batch.sample_ids]))

    def _read(self, sample_id: str, height: int, width: int) -> np.ndarray:
        if sample_id not in self.files:
            raise ProjectError(
                f"{self.settings.folder}: no prediction of sample {sample_id!r}; every sample that "
                "is scored needs one"
            )
        file = self.files[sample_id]
        options = ReadOptions(self.settings.colour_space, "ignore", grey=True)
        try:
            image = read_colour(file, _MAX_PIXELS, options=options)
        except ValueError as error:
            raise ProjectError(str(error)) from error
        pixels = np.asarray(image.pixels, dtype=np.float32)
        if not np.isfinite(pixels).all():
            raise ProjectError(f"{file}: has pixels that are not finite (NaN or infinity)")
        if image.space != "srgb" or pixels.shape[:2] != (height, width):
            linear = np.clip(to_linear(pixels, image.space), 0, 1)
            pixels = encode_srgb(resize_image(linear, height, width))
        return np.clip(pixels, 0, 1).transpose(2, 0, 1)


def load(settings: Settings, context: Context) -> PredictionFiles:
    """Find the files.

    Raises:
        ProjectError: if the folder is missing or empty, or a sample has two files.
    """
    folder, digest = settings.folder, hashlib.sha256()
    paths = sorted(path for path in folder.rglob("*") if path.is_file())
    files: dict[str, Path] = {}
    for path in paths:
        name = path.relative_to(folder).with_suffix("").as_posix().removesuffix(_SUFFIX)
        if name in files:
            raise ProjectError(f"{folder}: {files[name].name} and {path.name} are of one sample")
        files[name] = path
        digest.update(f"{name} ".encode() + path.read_bytes())
    if not files:
        raise ProjectError(f"{folder}: no file of predictions here")
    about: dict[str, object] = {
        "model": f"files in {folder.name}",
        "space": settings.colour_space,
        "resolution": "the sample's own",
    }
    return PredictionFiles(settings, files, about, {"files": digest.hexdigest()[:16]})
