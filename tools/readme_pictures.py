"""Makes the pictures of the README: `python -m tools.readme_pictures`, after `make demo`.

`photographs.jpg` has free photographs that scikit-image ships, above the albedo that the bundled
estimator predicts with the settings of `conf/base`. `demo.png` has test samples of the demo:
beauty, prediction and truth.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import skimage.data
import yaml
from PIL import Image

from albedo_pipeline.imaging.colormap import hatched
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.inference.predict_job import predict_job
from albedo_pipeline.params import PredictParams
from albedo_pipeline.reporting.images import image_thumbnail, mask_thumbnail
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards

ROOT = Path(__file__).parents[1]
PHOTOGRAPHS = ("astronaut.png", "coffee.png", "motorcycle_left.png", "chelsea.png")
HEIGHT, GAP = 300, 6
"""Height of a photograph and space between pictures, pixels."""
EVERY, ENLARGED = 7, 2
"""Of the demo's test samples, each one of so many is shown, and its pixels so many times wider."""


def photographs() -> Image.Image:
    """Photographs, and below each of them its predicted albedo."""
    settings = yaml.safe_load((ROOT / "conf/base/parameters_predict.yml").read_text())["predict"]
    columns = []
    for name in PHOTOGRAPHS:
        source = {"input": str(Path(skimage.data.__file__).parent / name), "model": "bundled"}
        job = predict_job(ROOT, PredictParams.model_validate(settings | source))
        predicted = job.make(job.images[0])
        albedo = encode_srgb(predicted.albedo.astype(np.float32))
        columns.append([_of_height(predicted.beauty / 65535), _of_height(albedo)])
    return _montage(columns)


def demo() -> Image.Image:
    """Beauty, prediction and truth of test samples, one column each; masked pixels are hatched."""
    pairs = PairShards(ROOT / "data/03_primary/pairs")
    predictions = PredictionShards(ROOT / "data/07_model_output/predictions")
    manifest = pd.read_parquet(ROOT / "data/03_primary/manifest.parquet")
    rows = dict(zip(manifest["sample_id"], manifest["row"], strict=True))
    columns = []
    for place, sample in list(enumerate(predictions.scalars["sample_id"].to_pylist()))[::EVERY]:
        beauty, truth, valid = (
            pairs.tensor(name, rows[sample]) for name in ("beauty", "albedo", "valid")
        )
        side = beauty.shape[-1]
        shown = [beauty, predictions.tensor("prediction", place), truth]
        pictures = [image_thumbnail(image, side) for image in shown]
        pictures[-1] = hatched(pictures[-1], mask_thumbnail(valid, side))
        columns.append([_enlarged(picture) for picture in pictures])
    return _montage(columns)


def _of_height(image: np.ndarray) -> Image.Image:
    """[H, W, 3] in [0, 1], sRGB-encoded => a picture of the common height."""
    picture = Image.fromarray(np.rint(255 * np.clip(image, 0, 1)).astype(np.uint8))
    return picture.resize((round(picture.width * HEIGHT / picture.height), HEIGHT))


def _enlarged(picture: np.ndarray) -> Image.Image:
    size = (ENLARGED * picture.shape[1], ENLARGED * picture.shape[0])
    return Image.fromarray(picture).resize(size, Image.Resampling.NEAREST)


def _montage(columns: list[list[Image.Image]]) -> Image.Image:
    """Columns of pictures of one size each, side by side on white."""
    widths = [column[0].width for column in columns]
    heights = [picture.height for picture in columns[0]]
    size = (sum(widths) + GAP * (len(widths) - 1), sum(heights) + GAP * (len(heights) - 1))
    sheet = Image.new("RGB", size, "white")
    for number, column in enumerate(columns):
        left = sum(widths[:number]) + GAP * number
        for row, picture in enumerate(column):
            sheet.paste(picture, (left, row * (heights[0] + GAP)))
    return sheet


if __name__ == "__main__":
    images = ROOT / "docs" / "images"
    photographs().save(images / "photographs.jpg", quality=92)
    demo().save(images / "demo.png", optimize=True)
