"""A small evaluated project: shards on disk, tables and metrics in memory."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.params import ReportParams
from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.reporting import report as html
from albedo_pipeline.shards.datasets import PairShardsDataset, PredictionShardsDataset
from albedo_pipeline.training.validation import METRICS

BLANK = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E"
SPLITS = ("test", "train", "test", "validation")


def _picture(seed: int, side: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Discs and boxes of plain colours, lit from one side; the corner outside is not valid."""
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
    """Part of the shading is left in, more so in later samples, and some noise."""
    left = 0.05 + 0.6 * ((7 * number) % 23) / 23
    noise = np.random.default_rng(1000 + number).normal(0, 0.03, albedo.shape)
    return (1 - left) * albedo + left * beauty + noise


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
    """Keywords of `write_html`; every second sample is of the test split."""
    pairs_dataset = PairShardsDataset(filepath=str(folder / "pairs"), samples_per_shard=7)
    pairs_dataset.save(_pair_rows(ids, side))
    pairs = pairs_dataset.load()
    manifest = pairs.scalars.to_pandas()
    manifest.insert(0, "row", range(len(manifest)))
    manifest.insert(3, "split", [SPLITS[row % len(SPLITS)] for row in range(len(manifest))])
    per_sample, prediction_rows = _evaluated(manifest, side)
    predictions = PredictionShardsDataset(filepath=str(folder / "predictions"), samples_per_shard=5)
    predictions.save(prediction_rows)
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
                "ensemble": 1,
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
        "params": ReportParams(gallery=gallery),
        "folder": folder,
    }


def risk_curves() -> pd.DataFrame:
    """A knowing uncertainty on the test split."""
    coverage = np.arange(1, 21) / 20
    curves = {"risk": 0.05 + 0.05 * coverage, "oracle": 0.1 * coverage, "random": 0.1, "n": 9}
    return pd.DataFrame({"split": "test", "coverage": coverage} | curves)


def audit_rows(
    ids: list[str], splits: list[str], quarantine: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The audit of samples without findings, then of those in the quarantine."""
    count = np.arange(len(ids))
    words = ("reason", "colour_suspicion", "duplicate_of", "near_duplicate_of")
    nothing = ("nonfinite_share", "negative_share", "beauty_clipped_share", "albedo_clipped_share")
    sides = dict.fromkeys(("source_width", "source_height", "width", "height"), 512)
    table = pd.DataFrame(
        {
            "sample_id": ids,
            "group": [f"scene_{n // 2:03d}" for n in count],
            "split": splits,
            **{name: 2 * n if name.startswith("source") else n for name, n in sides.items()},
            **dict.fromkeys(("beauty_type", "albedo_type"), "half"),
            **dict.fromkeys(("beauty_space", "albedo_space"), "linear"),
            **dict.fromkeys(words, ""),
            **dict.fromkeys((*nothing, "albedo_implausible_share"), 0.0),
            "exposure": 1.0 + count / 10,
            "valid_share": 0.9,
            "albedo_mean": 0.3,
            "shift_x": 0.0,
            "shift_y": 0.0,
            "leak": False,
        }
    )
    set_aside = (pd.DataFrame() if quarantine is None else quarantine).reindex(
        columns=table.columns
    )
    names = table.select_dtypes(include="str").columns
    set_aside[names] = set_aside[names].astype("str").fillna("")
    return pd.concat([table, set_aside.assign(leak=False)], ignore_index=True).astype(
        {"leak": bool}
    )


def training_log(points: int) -> pd.DataFrame:
    """A plausible log."""
    step = 10 * np.arange(1, points + 1)
    noise = np.exp(np.random.default_rng(3).normal(0, 0.12, points))
    return pd.DataFrame(
        {
            "step": step,
            "loss": (0.9 * np.exp(-step / 220) + 0.06) * noise,
            "learning_rate": 3e-4 * np.minimum(step / 100, 1) * 0.01 ** (step / step[-1]),
            "grad_norm": 0.4 * noise,
            "ema_decay": 0.99,
            "samples_per_second": 410.0,
            "epoch": step * 64 / 480,
        }
    )


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., dict]:
    """`make_inputs`, each time in a new folder."""

    def made(ids: list[str] | int = 16, **settings: int) -> dict:
        named = [f"view_{n:03d}" for n in range(ids)] if isinstance(ids, int) else ids
        return make_inputs(tmp_path_factory.mktemp("report"), named, **settings)

    return made


@pytest.fixture(scope="session")
def page_of() -> Callable[[dict], str]:
    """`write_html` without its plots, which take nearly all of its time."""

    def written(inputs: dict) -> str:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(html, "light_and_dark", lambda draw: {"light": BLANK, "dark": BLANK})
            return html.report_page(**inputs)

    return written


@pytest.fixture(name="audit_rows")
def audit_rows_fixture() -> Callable[..., pd.DataFrame]:
    """`audit_rows`."""
    return audit_rows
