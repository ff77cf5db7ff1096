"""The camera move: its video as one picture, and its numbers as text."""

import base64
import logging
from dataclasses import dataclass

from albedo_pipeline.artifacts.camera_move import MoveResult
from albedo_pipeline.reporting.formatting import MISSING, finite, measured, percentage

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class MoveSection:
    """What the report shows of the camera move; the pictures are data URIs."""

    group: str
    frames: int
    video: str
    still: str
    """The first frame, for readers who want no motion."""
    size: tuple[int, int]
    """Width and height of the video in pixels."""
    rows: list[tuple[str, str, str]]
    """How it was predicted, PSNR, and flicker."""
    still_share: str
    """Share of the pixels that the flicker is measured on."""


def move_section(result: MoveResult | None, metrics: dict) -> MoveSection | None:
    """The section; None if there is no move, or if another model than the scored one predicted it.

    Args:
        result: what the pipeline `sequence` wrote.
        metrics: content of `metrics.json`.
    """
    if result is None:
        return None
    facts, lineage = result.facts, metrics.get("lineage", {})
    if any(lineage.get(name) != digest for name, digest in facts["made_from"].items()):
        logger.info(
            "report: the camera move is left out, because it was predicted by another model than "
            "the evaluated one; the pipeline sequence predicts it by the weights that train wrote"
        )
        return None
    names = {"sequence": "as a sequence", "single_frames": "each frame alone"}
    return MoveSection(
        group=facts["group"],
        frames=facts["frames"],
        video=_uri(result.video),
        still=_uri(result.still),
        size=(facts["video_size"][1], facts["video_size"][0]),
        rows=[
            (name, measured("psnr", facts[key]["psnr"], with_unit=True), _flicker(facts[key]))
            for key, name in names.items()
        ],
        still_share=percentage(facts["sequence"]["still_share"]),
    )


def _flicker(scores: dict) -> str:
    return f"{scores['flicker']:.4f}" if finite(scores["flicker"]) else MISSING


def _uri(content: bytes) -> str:
    return "data:image/webp;base64," + base64.b64encode(content).decode("ascii")
