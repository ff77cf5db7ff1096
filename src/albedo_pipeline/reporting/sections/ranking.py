"""The order of the samples by score, and a choice of ranks from it."""

import numpy as np
import pandas as pd

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.reporting.formatting import MODEL, higher_is_better, main_measures


def ranking_metric(per_sample: pd.DataFrame) -> str:
    """Key of the metric that ranks the samples: the first main metric, a PSNR in every protocol.

    If the table has no main metric, it is the table's first numeric column.

    Raises:
        ProjectError: if the table has no numeric column.
    """
    names = main_measures(map(str, per_sample.select_dtypes("number")))
    if not names:
        raise ProjectError(
            "per_sample: no metric to rank the samples by; run the pipeline evaluate again"
        )
    return names[0]


def ranked_samples(per_sample: pd.DataFrame, split: str) -> pd.DataFrame:
    """The model's rows of one split, the best first; equal ones by sample_id, NaN last.

    Raises:
        ProjectError: if the table has no metric.
    """
    name = ranking_metric(per_sample)
    rows = per_sample[(per_sample["split"] == split) & (per_sample["method"] == MODEL)]
    return rows.sort_values(
        [name, "sample_id"],
        ascending=[higher_is_better(name) is False, True],
        na_position="last",
        ignore_index=True,
    )


def evenly_spaced_ranks(count: int, chosen: int) -> list[int]:
    """`chosen` of `count` ranks, evenly spaced; always with the first, the median and the last.

    Of an even count, the median is the worse of the two middle ranks. At least three ranks are
    chosen, if there are three.
    """
    chosen = min(count, max(chosen, 3))
    ranks = np.rint(np.linspace(0, count - 1, chosen)).astype(int)
    if chosen >= 3:
        ranks[1 + np.abs(ranks[1:-1] - count // 2).argmin()] = count // 2
    return ranks.tolist()
