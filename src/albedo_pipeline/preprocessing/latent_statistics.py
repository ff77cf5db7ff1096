"""Statistics of the latents, computed in one pass."""

import numpy as np

from albedo_pipeline.shards.latent_shards import LatentShards


def latent_statistics(latents: LatentShards) -> dict:
    """Statistics of the training split, ready for JSON.

    Only sums are kept, so memory does not grow with the number of samples.

    Returns:
        Number of `samples`, and of samples of each of the `shapes`; for `beauty` and `albedo` the
        `mean` and standard deviation (`std`) of each channel; the mean `valid_share` of the cells;
        the number of `empty_masks`.
    """
    rows = latents.rows("train")
    shapes, counts = np.unique(latents.shapes("beauty")[rows, 1:], axis=0, return_counts=True)
    statistics = {
        "samples": len(rows),
        "shapes": [
            {"shape": shape.tolist(), "samples": int(count)}
            for shape, count in zip(shapes, counts, strict=True)
        ],
    }
    for name in ("beauty", "albedo"):
        moments = np.zeros((2, shapes[0, 0]))
        for row in rows:
            values = latents.tensor(name, row)[0].astype(np.float64)  # [C, h, w]
            moments += np.stack([values.mean(axis=(1, 2)), np.square(values).mean(axis=(1, 2))])
        mean, square = moments / len(rows)
        statistics[name] = {
            "mean": mean.tolist(),
            "std": np.sqrt(np.maximum(square - mean**2, 0)).tolist(),
        }
    valid = [float(latents.tensor("valid", row)[0].mean()) for row in rows]
    return statistics | {"valid_share": float(np.mean(valid)), "empty_masks": valid.count(0.0)}
