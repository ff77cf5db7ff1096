"""The page beside the user's predictions: one HTML file, and small pictures that it refers to."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from albedo_pipeline.artifacts.user_results import BRIGHTEST_UNCERTAINTY
from albedo_pipeline.reporting.formatting import count, percentage, plain

_TEMPLATES = Path(__file__).parent / "templates"
_WORDS = {
    "input": "Images",
    "model": "Model",
    "model_digest": "Digest of the model",
    "steps": "DDIM steps",
    "ensemble": "Ensemble",
    "resolution": "Processing resolution, pixels",
    "tile": "Tile, pixels",
}
_REMARKS = {
    "clipped_share": "{} of the pixels are brighter than white and were clipped",
    "nonfinite_share": "{} of the pixels are NaN or infinite and were taken for black",
    "negative_share": "{} of the pixels are negative and were taken for black",
    "transparent_share": "{} of the pixels are transparent and did not count for the exposure",
}
_WORTH_TELLING = {"clipped_share": 0.1}  # some highlights are meant to be


@dataclass(frozen=True)
class Card:
    """What the page shows of an image; links are percent-encoded."""

    name: str
    links: dict[str, str]
    pictures: list[tuple[str, str]]
    """Caption and link of each small picture."""
    ratio: str
    """Width / height, for CSS."""
    facts: str
    remarks: list[str]


def user_page(predictions: dict[str, Any]) -> str:
    """The page as text; names and reasons are escaped.

    Args:
        predictions: what `UserPredictionsDataset` loads.
    """
    images, settings = predictions["images"], predictions["settings"]
    done = [record for record in images if not record["reason"]]
    bad = [(_shown(r["name"]), _shown(r["reason"])) for r in images if r["reason"]]
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("user_page.html.jinja").render(
        headline=_headline(len(done), len(bad), predictions["others"]),
        settings=[(_WORDS[key], _shown(plain(v))) for key, v in settings.items() if key in _WORDS],
        cards=[_card(record) for record in done],
        bad=bad,
        unit="sRGB-encoded" if settings["space"] == "srgb" else "linear",
        brightest=BRIGHTEST_UNCERTAINTY,
        has_uncertainty=any("uncertainty" in record["files"] for record in done),
    )


def _headline(done: int, bad: int, others: int) -> str:
    parts = [f"{count(done, 'image')} with an albedo"]
    if bad:
        parts.append(f"{bad:,} that could not be used")
    if others:
        parts.append(f"{count(others, 'other file')} passed over")
    return ", ".join(parts) + "."


def _card(record: dict[str, Any]) -> Card:
    files = record["files"]
    captions = {"beauty": "input", "albedo": "albedo", "uncertainty": "uncertainty"}
    return Card(
        name=_shown(record["name"]),
        links={k: _link(files[k]) for k in ("exr", "png", "uncertainty") if k in files},
        pictures=[
            (caption, _link(files[f"{kind}_thumbnail"]))
            for kind, caption in captions.items()
            if f"{kind}_thumbnail" in files
        ],
        ratio=f"{record['width']} / {record['height']}",
        facts=_facts(record),
        remarks=[
            text.format(percentage(record[key]))
            for key, text in _REMARKS.items()
            if record[key] > _WORTH_TELLING.get(key, 0)
        ],
    )


def _facts(record: dict[str, Any]) -> str:
    exposed = "" if record["space"] == "srgb" else f", exposure × {record['exposure']:.3g}"
    tiles = f", {count(record['tiles'], 'tile')}" if record["tiles"] else ""
    space = {"srgb": "sRGB", "acescg": "ACEScg"}.get(record["space"], record["space"])
    size = f"{record['width']} × {record['height']}"
    return f"{size}, {record['type']}, {space}{exposed}{tiles}, {record['seconds']:.1f} s"


def _link(name: str) -> str:
    """A relative URL; file names may hold any byte, and a colon would begin a scheme."""
    return "./" + quote(os.fsencode(name))


def _shown(name: str) -> str:
    """Text that UTF-8 can hold: bytes of file names that are none show as \\udcxx."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")
