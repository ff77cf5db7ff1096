"""Tables as the pipelines write them, for tests of the report."""

import numpy as np
import pandas as pd


def risk_curves() -> pd.DataFrame:
    """Risk on the test split of an uncertainty that is better than a random order."""
    coverage = np.arange(1, 21) / 20
    curves = {"risk": 0.05 + 0.05 * coverage, "oracle": 0.1 * coverage, "random": 0.1, "n": 9}
    return pd.DataFrame({"split": "test", "coverage": coverage} | curves)


def audit_rows(
    ids: list[str], splits: list[str], quarantine: pd.DataFrame | None = None
) -> pd.DataFrame:
    """The audit of samples without findings, followed by the quarantined samples."""
    count = np.arange(len(ids))
    texts = ("reason", "colour_suspicion", "duplicate_of", "near_duplicate_of")
    shares = ("nonfinite_share", "negative_share", "beauty_clipped_share", "albedo_clipped_share")
    sides = dict.fromkeys(("source_width", "source_height", "width", "height"), 512)
    table = pd.DataFrame(
        {
            "sample_id": ids,
            "group": [f"scene_{n // 2:03d}" for n in count],
            "split": splits,
            **{name: 2 * n if name.startswith("source") else n for name, n in sides.items()},
            **dict.fromkeys(("beauty_type", "albedo_type"), "half"),
            **dict.fromkeys(("beauty_space", "albedo_space"), "linear"),
            **dict.fromkeys(texts, ""),
            **dict.fromkeys((*shares, "albedo_implausible_share"), 0.0),
            "exposure": 1.0 + count / 10,
            "valid_share": 0.9,
            "albedo_mean": 0.3,
            "shift_x": 0.0,
            "shift_y": 0.0,
            "leak": False,
        }
    )
    quarantined = (pd.DataFrame() if quarantine is None else quarantine).reindex(
        columns=table.columns
    )
    names = table.select_dtypes(include="str").columns
    quarantined[names] = quarantined[names].astype("str").fillna("")
    return pd.concat([table, quarantined.assign(leak=False)], ignore_index=True).astype(
        {"leak": bool}
    )


def quarantine_rows(count: int) -> pd.DataFrame:
    """The quarantine of `count` samples of one group, all for the same reason."""
    return pd.DataFrame(
        {
            "sample_id": [f"bad/{n}" for n in range(count)],
            "group": ["bad"] * count,
            "reason": ["beauty is black"] * count,
        },
        dtype="str",
    )


def training_log(points: int) -> pd.DataFrame:
    """A plausible training log."""
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


METRIC_NAMES = [
    *("psnr", "si_mse", "psnr_aligned"),
    *("psnr_unmasked", "si_mse_unmasked", "psnr_aligned_unmasked"),
]


def score(mean: float | None, width: float = 0.5, n: int = 9) -> dict:
    """A mean with its interval; NaN for None."""
    value = float("nan") if mean is None else mean
    return {"mean": value, "low": value - width, "high": value + width, "n": n}


def psnr_metrics(model: float | None, baseline: float = 20.0, ceiling: float = 30.0) -> dict:
    """Metrics with the PSNR of the model, two baselines and the ceiling."""
    return {
        "protocol": {"name": "p"},
        "test": {
            "n": 9,
            "autoencoder_roundtrip": {"psnr": score(ceiling)},
            "beauty_as_albedo": {"psnr": score(baseline)},
            "my_own_method": {"psnr": score(baseline - 5)},
            "model": {"psnr": score(model)},
        },
    }


def distinct_metrics(names: list[str], **model_only: float) -> dict:
    """Metrics in which every method has another score in every metric.

    Args:
        model_only: means of metrics that only the model has.
    """
    methods = ("model", "beauty_as_albedo", "autoencoder_roundtrip")
    scores = {
        method: {name: score(10 * place + row + 0.25) for row, name in enumerate(names)}
        for place, method in enumerate(methods, 1)
    }
    scores["model"] |= {name: score(mean, n=4) for name, mean in model_only.items()}
    return {"protocol": {"name": "p"}, "lineage": {"pairs": "0"}, "test": {"n": 9} | scores}
