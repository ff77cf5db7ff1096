"""The page of the user's predictions: an HTML file that refers to the small pictures beside it."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from albedo_pipeline.artifacts.user_results import BRIGHTEST_UNCERTAINTY
from albedo_pipeline.errors import printable
from albedo_pipeline.reporting.formatting import count, percentage, plain
from albedo_pipeline.runtime.companions import EXAMPLES

_TEMPLATES = Path(__file__).parent / "templates"
_SETTING_LABELS = {
    "input": "Images",
    "model": "Model",
    "model_digest": "Model digest",
    "steps": "DDIM steps",
    "ensemble": "Ensemble size",
    "ensemble_kind": "Members differ in",
    "resolution": "Largest processing resolution, pixels",
    "whole_megapixels": "Largest image without tiles, megapixels",
}
_LINKS = {
    "exr": "Albedo EXR",
    "png": "Albedo PNG",
    "tiff": "Albedo TIFF",
    "uncertainty": "Uncertainty EXR",
}
"""Names of the links to the full-size results, by the kind of the file."""
_SPACES = {"linear": "linear Rec.709", "srgb": "sRGB", "acescg": "ACEScg"}
_WARNINGS = {
    "clipped_share": "{} of the pixels are brighter than white and were clipped",
    "nonfinite_share": "{} of the pixels are NaN or infinite and were treated as black",
    "negative_share": "{} of the pixels are negative and were treated as black",
    "transparent_share": "{} of the pixels are transparent and were ignored for the exposure",
}
_WARNING_THRESHOLDS = {"clipped_share": 0.1}
"""Shares above which a warning is shown, if not 0: some clipped highlights are normal."""


@dataclass(frozen=True)
class ImageCard:
    """What the page shows of one image; links are percent-encoded."""

    name: str
    links: dict[str, str]
    """Link to each full-size result, by its name on the page."""
    albedo: str
    """Link behind the small picture of the albedo: the PNG if there is one."""
    pictures: list[tuple[str, str]]
    """Caption and link of each small picture."""
    ratio: str
    """Width / height, for CSS."""
    details: str
    """Size, file type, colour space, exposure, tiles and time."""
    warnings: list[str]


@dataclass(frozen=True)
class SequenceCard:
    """What the page shows of a sequence; links are percent-encoded."""

    name: str
    video: str
    """Link to the video; empty if there is none."""
    details: str
    """Frames, shots and flicker."""
    frames: list[ImageCard]
    """The frames that have an albedo."""


def user_page(predictions: dict[str, Any]) -> str:
    """The page as HTML text; names and reasons are escaped.

    Args:
        predictions: what `UserPredictionsDataset` loads.
    """
    images, settings = predictions["images"], dict(predictions["settings"])
    if settings["ensemble"] == 1:
        del settings["ensemble_kind"]  # there is nothing that the members could differ in
    predicted = [record for record in images if not record["reason"]]
    sequences = predictions.get("sequences", [])
    frames = {output for sequence in sequences for output in sequence["outputs"]}
    failed = [(printable(r["name"]), printable(r["reason"])) for r in images if r["reason"]]
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("user_page.html.jinja").render(
        headline=_headline(
            len(predicted), len(failed), predictions["others"], predictions["companions"]
        ),
        settings=[
            (_SETTING_LABELS[key], printable(plain(value)))
            for key, value in settings.items()
            if key in _SETTING_LABELS
        ],
        sequences=[_sequence_card(record, predicted) for record in sequences],
        cards=[_card(record) for record in predicted if record["output"] not in frames],
        failed=failed,
        files=_files_text(settings["output"]),
        unit="sRGB-encoded" if settings["space"] == "srgb" else "linear",
        brightest=BRIGHTEST_UNCERTAINTY,
        has_uncertainty=any("uncertainty" in record["files"] for record in predicted),
    )


def _headline(predicted: int, failed: int, others: int, companions: int) -> str:
    texts = [f"{count(predicted, 'image')} with an albedo"]
    if failed:
        texts.append(f"{count(failed, 'image')} that could not be used")
    if others:
        texts.append(f"{count(others, 'other file')} skipped")
    if companions:
        texts.append(f"{count(companions, 'companion file')} passed over ({EXAMPLES})")
    return ", ".join(texts) + "."


def _files_text(output: dict[str, Any]) -> str:
    """What the files hold, by the settings of `predict.output`."""
    stored = {"exr": "half floats", "png": f"{output['png_bits']} bits", "tiff": "16 bits"}
    texts = [
        f"the {kind.upper()} files hold {_SPACES[output[kind]]} ({numbers})"
        for kind, numbers in stored.items()
        if output[kind]
    ]
    text = ", ".join(texts)
    return text[:1].upper() + text[1:] + "."


def _card(record: dict[str, Any]) -> ImageCard:
    files = record["files"]
    captions = {"beauty": "input", "albedo": "albedo", "uncertainty": "uncertainty"}
    return ImageCard(
        name=printable(record["name"]),
        links={name: _link(files[kind]) for kind, name in _LINKS.items() if kind in files},
        albedo=_link(next(files[kind] for kind in ("png", "tiff", "exr") if kind in files)),
        pictures=[
            (caption, _link(files[f"{key}_thumbnail"]))
            for key, caption in captions.items()
            if f"{key}_thumbnail" in files
        ],
        ratio=f"{record['width']} / {record['height']}",
        details=image_details(record),
        warnings=image_warnings(record),
    )


def _sequence_card(record: dict[str, Any], predicted: list[dict[str, Any]]) -> SequenceCard:
    parts = [
        f"{count(record['frames'], 'frame')} in {count(record['shots'], 'shot')}",
        f"{record['frames_per_second']:.4g} frames per second",
    ]
    if record["flicker"] is not None:
        still = percentage(record["still_share"])
        parts.append(f"flicker {record['flicker']:.4f} where the input stays the same ({still})")
    if record["failed"]:
        parts.append(f"{count(record['failed'], 'frame')} could not be used")
    video = record["files"].get("video", "")
    outputs = set(record["outputs"])
    return SequenceCard(
        printable(record["name"]),
        _link(video) if video else "",
        ", ".join(parts),
        [_card(frame) for frame in predicted if frame["output"] in outputs],
    )


def image_warnings(record: dict[str, Any]) -> list[str]:
    """What may be wrong with an image: its colour space, or pixels that were changed."""
    shares = [
        text.format(percentage(record[key]))
        for key, text in _WARNINGS.items()
        if record[key] > _WARNING_THRESHOLDS.get(key, 0)
    ]
    doubt = record["colour_doubt"]
    return [f"colour space: {printable(doubt)}", *shares] if doubt else shares


def image_details(record: dict[str, Any]) -> str:
    """Size, file type, colour space, exposure, tiles and time of an image."""
    exposure = "" if record["space"] == "srgb" else f", exposure × {record['exposure']:.3g}"
    tiles = f", {count(record['tiles'], 'tile')}" if record["tiles"] else ""
    space = {"srgb": "sRGB", "acescg": "ACEScg"}.get(record["space"], record["space"])
    source = record["colour_source"]
    if source not in ("declared", "pixel type"):
        space += f" by {printable(source)}"
    size = f"{record['width']} × {record['height']}"
    return f"{size}, {record['type']}, {space}{exposure}{tiles}, {record['seconds']:.1f} s"


def _link(name: str) -> str:
    """A relative URL. File names may contain any byte, and a colon would start a URL scheme."""
    return "./" + quote(os.fsencode(name))
