"""A sentence that says how good the model's uncertainty is."""

from albedo_pipeline.reporting.formatting import MODEL, finite, measured


def uncertainty_sentence(scores: dict) -> str:
    """How well the model's uncertainty sorts its pixels by error; empty without an ensemble.

    Its area under the risk-coverage curve (AURC) is compared with that of a random order, which is
    0 %, and with that of sorting by the true error, which is 100 %.

    Args:
        scores: the scores of one split.
    """
    model = scores.get(MODEL, {})
    means = [model.get(name, {}).get("mean") for name in ("aurc", "aurc_oracle", "aurc_random")]
    if not all(map(finite, means)):
        return ""
    area, oracle, random = means
    in_brackets = f"(AURC {measured('aurc', area)})"
    if random <= oracle:
        return f"All pixels have the same error, so uncertainty cannot sort them {in_brackets}."
    share = (random - area) / (random - oracle)
    if share <= 0:
        return f"The uncertainty sorts the pixels no better than chance {in_brackets}."
    return (
        f"Sorting the pixels by the model’s uncertainty gains {100 * share:.0f} % of what sorting "
        f"them by their true error would gain {in_brackets}."
    )
