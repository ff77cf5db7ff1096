"""Inputs of the report: shards on disk, tables and metrics in memory."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.params import ReportParams
from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.reporting import report
from albedo_pipeline.shards.datasets import PairShardsDataset, PredictionShardsDataset
from albedo_pipeline.training.validation import METRICS
from benchmarks.row_build import save_rows
from tests.support.report_tables import audit_rows, risk_curves, training_log

EMPTY_SVG = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
_SPLITS = ("test", "train", "test", "validation")


def _picture(seed: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Beauty, albedo and valid mask of plain discs and boxes lit from one side.

    The corners are not valid.
    """
    draw = np.random.default_rng(seed)
    y, x = np.mgrid[0:side, 0:side] / side
    albedo = np.broadcast_to(draw.uniform(0.3, 0.8, 3), (side, side, 3)).copy()
    shading = 0.35 + 0.6 * (x * draw.uniform(0, 1) + y * draw.uniform(0, 1)) / 2
    for number in range(6):
        cx, cy, radius = draw.uniform(0.1, 0.9), draw.uniform(0.1, 0.9), draw.uniform(0.08, 0.25)
        distance = np.hypot(x - cx, y - cy) if number % 2 else np.maximum(abs(x - cx), abs(y - cy))
        inside = distance < radius
        albedo[inside] = draw.uniform(0.1, 0.95, 3)
        shadow = np.hypot(x - cx - 0.08, y - cy - 0.08) < radius
        shading = np.where(shadow & ~inside, shading * 0.5, shading)
        shading = np.where(inside, shading * (1.35 - distance / radius), shading)
    beauty = np.clip(albedo * shading[..., None] * [1.1, 1.0, 0.85], 0, 1)
    valid = (np.hypot(x - 0.5, y - 0.5) < 0.62).astype(np.uint8)[None]
    return beauty, albedo, valid


def _stored(image: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(quantize(image).transpose(2, 0, 1))


def _pair_rows(ids: list[str], side: int) -> Iterator[dict]:
    for number, sample_id in enumerate(ids):
        beauty, albedo, valid = _picture(number, side)
        yield {
            "sample_id": sample_id,
            "group": f"scene_{number // 2:03d}",
            "exposure": 1.0 + number / 10,
            "valid_share": float(valid.mean()),
            "beauty_clipped_share": 0.001 * number,
            "albedo_clipped_share": 0.0,
            "albedo_mean": float(albedo.mean()),
            "beauty": _stored(beauty),
            "albedo": _stored(albedo),
            "valid": valid,
        }


def _predicted(number: int, beauty: np.ndarray, albedo: np.ndarray) -> np.ndarray:
    """An estimate with some noise, in which a part of the shading is left."""
    shading = 0.05 + 0.6 * ((7 * number) % 23) / 23
    noise = np.random.default_rng(1000 + number).normal(0, 0.03, albedo.shape)
    return (1 - shading) * albedo + shading * beauty + noise


def _scores(estimate: np.ndarray, truth: np.ndarray, valid: np.ndarray) -> dict[str, float]:
    tensors = [
        torch.from_numpy(np.clip(a, 0, 1).transpose(2, 0, 1)[None]) for a in (estimate, truth)
    ]
    mask = torch.from_numpy(valid[None] == 1)
    return {metric.name: float(metric.function(*tensors, mask)) for metric in METRICS}


def _summary(rows: pd.DataFrame) -> dict:
    names = [metric.name for metric in METRICS]
    return {
        name: {
            "mean": float(rows[name].mean()),
            "low": float(rows[name].mean() - rows[name].sem() * 1.96),
            "high": float(rows[name].mean() + rows[name].sem() * 1.96),
            "n": int(rows[name].notna().sum()),
        }
        for name in names
    }


def _evaluated(manifest: pd.DataFrame, side: int) -> tuple[pd.DataFrame, list[dict]]:
    scores, predictions = [], []
    for row in manifest[manifest["split"] == "test"].to_dict("records"):
        beauty, albedo, valid = _picture(row["row"], side)
        estimates = {
            "model": _predicted(row["row"], beauty, albedo),
            "beauty_as_albedo": beauty,
            "beauty_best_scale": beauty * (albedo * beauty).sum() / (beauty**2).sum(),
            "retinex_best_scale": 0.5 * beauty / beauty.mean() * albedo.mean()
            + 0.5 * albedo.mean(),
            "autoencoder_roundtrip": albedo
            + np.random.default_rng(9).normal(0, 0.01, albedo.shape),
        }
        known = {key: row[key] for key in ("sample_id", "group", "split")}
        for method, estimate in estimates.items():
            scores.append(known | {"method": method, "set": ""} | _scores(estimate, albedo, valid))
        predictions.append(
            known
            | {
                "prediction": _stored(estimates["model"]),
                "roundtrip": _stored(estimates["autoencoder_roundtrip"]),
            }
        )
    return pd.DataFrame(scores), predictions


def make_inputs(folder: Path, ids: list[str], side: int = 32, gallery: int = 5) -> dict:
    """Keyword arguments of `report_page`; every second sample is in the test split."""
    pairs_dataset = PairShardsDataset(filepath=str(folder / "pairs"), samples_per_shard=7)
    save_rows(pairs_dataset, _pair_rows(ids, side))
    pairs = pairs_dataset.load()
    manifest = pairs.scalars.to_pandas()
    manifest.insert(0, "row", range(len(manifest)))
    manifest.insert(3, "split", [_SPLITS[row % len(_SPLITS)] for row in range(len(manifest))])
    per_sample, prediction_rows = _evaluated(manifest, side)
    predictions = PredictionShardsDataset(filepath=str(folder / "predictions"), samples_per_shard=5)
    save_rows(predictions, prediction_rows)
    by_method = {key: _summary(rows) for key, rows in per_sample.groupby("method", sort=False)}
    quarantine = pd.DataFrame(
        {
            "sample_id": ["scene_900/a", "scene_900/b", "scene_901/a"],
            "group": ["scene_900", "scene_900", "scene_901"],
            "reason": ["every pixel is masked", "every pixel is masked", "beauty is black"],
        }
    )
    audit = audit_rows(ids, [*manifest["split"]], quarantine)
    return {
        "metrics": {
            "protocol": {
                "name": "albedo_pipeline",
                "fingerprint": "3f9c1b27d0aa",
                "metrics": {"psnr": "srgb", "ssim": "srgb"},
                "colour_space": "as each metric says",
                "mask": "valid pixels only",
                "alignment": "none",
                "resolution": side,
                "steps": 1,
                "ensemble": None,
                "seed": 2024,
            },
            "test": {"n": len(prediction_rows), **by_method},
        },
        "per_sample": per_sample,
        "predictions": predictions.load(),
        "pairs": pairs,
        "manifest": manifest,
        "risk_coverage": risk_curves(),
        "training_log": training_log(150),
        "audit": audit,
        "audit_summary": summary_of(audit),
        "quarantine": quarantine,
        "autoencoder_report": {
            "source": "bundled",
            "parameters": 1_234_567,
            "latent_channels": 4,
            "factor": 4,
            "validation_samples": 12,
            "validation_beauty_psnr": 31.27,
            "validation_albedo_psnr": None,
        },
        "parameters": {
            "ingest": {"resolution": side},
            "train": {
                "effective_batch_size": 64,
                "micro_batch_size": 64,
                "max_steps": 1500,
                "learning_rate": {"peak": 0.0003},
            },
            "evaluate": {"steps": 1},
            "report": ReportParams(gallery=gallery),
        },
        "history": [],
        "params": ReportParams(gallery=gallery),
        "folder": folder,
    }


@pytest.fixture(scope="session")
def report_inputs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict]:
    """`make_inputs` with its shards in a new folder each time; samples by name or number."""

    def make(samples: list[str] | int = 16, **settings: int) -> dict:
        ids = [f"view_{n:03d}" for n in range(samples)] if isinstance(samples, int) else samples
        return make_inputs(tmp_path_factory.mktemp("report"), ids, **settings)

    return make


@pytest.fixture(scope="session")
def render_report() -> Callable[[dict], str]:
    """`report_page` without its plots, which take nearly all of its time."""

    def render(inputs: dict) -> str:
        with without_plots():
            return report.report_page(**inputs)

    return render


@contextmanager
def without_plots() -> Iterator[None]:
    """In this context, the report has empty images in place of its plots."""
    with pytest.MonkeyPatch.context() as patch:
        empty = {"light": EMPTY_SVG, "dark": EMPTY_SVG}
        patch.setattr(report, "light_and_dark", lambda draw: empty)
        yield
