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
    area_text = f"(AURC {measured('aurc', area)})"
    if random <= oracle:
        return (
            f"All its pixels are equally wrong, so its uncertainty has nothing to tell {area_text}."
        )
    share = (random - area) / (random - oracle)
    if share <= 0:
        return (
            f"Its uncertainty is of no use: it sorts the pixels no better than chance {area_text}."
        )
    return (
        f"Of what sorting the pixels by their error would gain, its uncertainty gives "
        f"{100 * share:.0f} % {area_text}."
    )
