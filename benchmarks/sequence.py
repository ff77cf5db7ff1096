"""Measures error and flicker of a rendered camera move with and without `predict.sequence`.

    python benchmarks/sequence.py [--json FILE] [--model NAME] [--frames N] [--side N]
        [--video FILE]

A camera moves along a line between two views of one random scene, whose true albedo is known. The
frames are linear EXR files. The error is the PSNR of the valid pixels, sRGB-encoded, mean over the
frames. The flicker is the mean change of the prediction where the true albedo changes by at most
2/255 from one frame to the next; see `metrics/flicker.py`. Nothing is timed.
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import numpy as np
from measuring import machine

from albedo_pipeline.artifacts.user_predictions import UserPredictionsDataset
from albedo_pipeline.artifacts.user_sequences import read_albedo
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.io.write import write_exr
from albedo_pipeline.inference.predict_job import predict_job
from albedo_pipeline.metrics.flicker import Flicker, flicker_of_pair
from albedo_pipeline.params import PredictParams
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.rendering.cameras import Camera
from albedo_pipeline.rendering.engine import RenderSettings, build_scene, render_scene
from albedo_pipeline.rendering.random_streams import scene_generator
from albedo_pipeline.rendering.worlds import draw_scene

SEED = 77
"""Seed of the scene, which no training of the project uses."""


def render_move(folder: Path, frames: int, side: int, seed: int) -> list[np.ndarray]:
    """Write the frames, and return the true albedo of each, sRGB-encoded; NaN where not valid."""
    rng = scene_generator(seed, 0, 0)
    scene = draw_scene(rng, "tabletop")
    built = build_scene(scene.surfaces | scene.lights)
    start, end = scene.draw_camera(rng), scene.draw_camera(rng)
    settings = RenderSettings(resolution=side, samples_per_pixel=24, max_depth=5)
    truth = []
    for number in range(frames):
        share = number / max(1, frames - 1)
        camera = Camera(
            start.origin + share * (end.origin - start.origin),
            start.target + share * (end.target - start.target),
            start.field_of_view,
            start.up,
        )
        beauty, albedo, valid = render_scene(built, camera, settings, number, number)
        write_exr(folder / f"move.{number + 1:04d}.exr", beauty, {}, half=True)
        truth.append(np.where(valid[..., None], encode_srgb(np.clip(albedo, 0, 1)), np.nan))
    return truth


def predicted(folder: Path, results: Path, model: str, sequence: bool) -> list[np.ndarray]:
    """Predict the frames; albedo of each, sRGB-encoded."""
    output = OutputParams(video="mp4" if sequence else None)
    params = PredictParams(input=str(folder), model=model, sequence=sequence, output=output)
    dataset = UserPredictionsDataset(filepath=str(results))
    dataset.save(predict_job(folder, params))
    files = [record["files"] for record in dataset.load()["images"]]
    return [encode_srgb(read_albedo(results, names, output)) for names in files]


def measured(albedo: list[np.ndarray], truth: list[np.ndarray]) -> dict[str, float]:
    """PSNR and flicker of the frames."""
    errors = [np.nanmean((a - t) ** 2) for a, t in zip(albedo, truth, strict=True)]
    pairs = zip(albedo, albedo[1:], truth, truth[1:], strict=False)
    flicker = sum((flicker_of_pair(*pair) for pair in pairs), Flicker())
    return {
        "psnr": float(np.mean([-10 * np.log10(e) for e in errors])),
        "flicker": flicker.mean or 0.0,
        "still_share": flicker.still_share,
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the result to this file")
    parser.add_argument("--model", default="bundled", help="folder or Hub id of the model")
    parser.add_argument("--frames", type=int, default=24)
    parser.add_argument("--side", type=int, default=128, help="width and height, pixels")
    parser.add_argument("--seed", type=int, default=SEED, help="seed of the scene")
    parser.add_argument("--video", type=Path, help="copy the video with `sequence` to this file")
    options = parser.parse_args()
    rows = {}
    with tempfile.TemporaryDirectory() as name:
        frames = Path(name, "frames")
        frames.mkdir()
        truth = render_move(frames, options.frames, options.side, options.seed)
        for case, sequence in (("without sequence", False), ("with sequence", True)):
            results = Path(name, case)
            rows[case] = measured(predicted(frames, results, options.model, sequence), truth)
        if options.video:
            shutil.copy(results / "move_side_by_side.mp4", options.video)
    print(f"{options.frames} frames of {options.side} pixels, model {options.model}; {machine()}")
    for case, row in rows.items():
        print(
            f"{case:18} PSNR {row['psnr']:.2f} dB, flicker {row['flicker']:.5f} "
            f"({row['still_share']:.0%} of the pixels)"
        )
    ratios = {"flicker": rows["with sequence"]["flicker"] / rows["without sequence"]["flicker"]}
    if options.json:
        content = {"machine": machine(), "rows": rows, "ratios": ratios}
        options.json.write_text(json.dumps(content, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
