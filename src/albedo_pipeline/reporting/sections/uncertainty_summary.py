"""How good the uncertainty is, in a sentence."""

from albedo_pipeline.reporting.formatting import MODEL, finite, measured


def risk_sentence(scores: dict) -> str:
    """What the model's uncertainty is worth; empty where there was no ensemble.

    Args:
        scores: those of one split.
    """
    model = scores.get(MODEL, {})
    means = [model.get(name, {}).get("mean") for name in ("aurc", "aurc_oracle", "aurc_random")]
    if not all(map(finite, means)):
        return ""
    area, oracle, random = means
    told = f"(AURC {measured('aurc', area)})"
    if random <= oracle:
        return f"All its pixels are equally wrong, so its uncertainty has nothing to tell {told}."
    share = (random - area) / (random - oracle)
    if share <= 0:
        return f"Its uncertainty is of no use: it sorts the pixels no better than chance {told}."
    return (
        f"Of what sorting the pixels by their error would gain, its uncertainty gives "
        f"{100 * share:.0f} % {told}."
    )
