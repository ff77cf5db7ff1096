"""The contact sheet: whole pixels, no picture stretched."""

import base64
import io
from pathlib import Path

import numpy as np
from PIL import Image

from albedo_pipeline.shards.contact_sheet import GAP, SIDE
from albedo_pipeline.shards.datasets import PredictionShardsDataset
from benchmarks.row_build import save_rows


def test_pictures_keep_their_shape_and_pixels(tmp_path: Path) -> None:
    rows = [
        {"sample_id": f"s{n}", "prediction": np.full((3, 20, 40), 257 * (100 + n), np.uint16)}
        for n in range(2)
    ]
    rows.append({"sample_id": "s2", "prediction": np.full((3, 2 * SIDE, SIDE), 65535, np.uint16)})
    dataset = PredictionShardsDataset(filepath=str(tmp_path / "predictions"))
    save_rows(dataset, rows)
    sheet = np.asarray(Image.open(io.BytesIO(base64.b64decode(dataset.preview()))))
    width = SIDE // 2 + GAP
    assert sheet.shape == (SIDE + 2 * GAP, 3 * width + GAP, 3)
    first = sheet[GAP:, GAP:]
    assert (first[:20, :40] == 100).all()
    assert (first[20:, :40] == 128).all()
    assert (sheet[GAP : GAP + SIDE, GAP + 2 * width : -GAP] == 255).all()
