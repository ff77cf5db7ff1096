"""Intrinsic Images in the Wild (Bell, Bala & Snavely 2014), as its archive unpacks."""

import json
import math
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.pair_files import PairReader, read_from
from albedo_pipeline.readers.photographs import Photo
from albedo_pipeline.readers.roots import open_root

if TYPE_CHECKING:
    from albedo_pipeline.metrics.whdr import Judgement

SPLITS = ("all", "narihira_test")


class IIWDataset(PairReader[Photo]):
    """`<id>.png` with `<id>.json`: which of two points people took for the darker surface.

    Points that are not opaque, and comparisons of no weight, are left out, as the published code
    does.

        iiw_photos:
          type: albedo_pipeline.readers.iiw.IIWDataset
          filepath: /data/iiw-dataset/data

    Args:
        filepath: the folder, or an uncompressed `.tar` of it.
        split: `narihira_test`, every fifth photograph from the first on, the rule by which Narihira
            et al. (2015) chose test photographs; or `all`. The order is of the names as numbers;
            Nestmeyer & Gehler's code (2017) sorts them as text, which gives another fifth. Before
            comparing with a published number, look which photographs it is about.
        max_megapixels: see `PairReader`.
    """

    def __init__(
        self,
        *,
        filepath: str,
        split: str = "narihira_test",
        max_megapixels: float = 128,
        metadata: dict | None = None,
    ) -> None:
        super().__init__(filepath=filepath, max_megapixels=max_megapixels, metadata=metadata)
        if split not in SPLITS:
            raise ProjectError(f"split: {split!r} is not one of {', '.join(SPLITS)}")
        self._split = split

    def load(self) -> list[Photo]:
        """Photographs with judgements, by number.

        Raises:
            ProjectError: if there is no such folder, or no photograph with judgements in it.
        """
        root = open_root(self._path)
        names = root.names()
        images = {str(PurePosixPath(name).with_suffix("")): name for name in names if _shows(name)}
        judged = [name for name in names if name.endswith(".json") and name[:-5] in images]
        if not judged:
            raise ProjectError(f"{root.path}: no <id>.png with <id>.json")
        judged.sort(key=lambda name: (len(Path(name).stem), name))
        chosen = judged[::5] if self._split == "narihira_test" else judged
        limit = self._options.max_pixels
        return [
            Photo(
                name=name[:-5],
                root=root,
                image=images[name[:-5]],
                labels=(name,),
                group=name[:-5],
                read_known=partial(read_from, root, name, _read),
                max_pixels=limit,
            )
            for name in chosen
        ]


def _shows(name: str) -> bool:
    return name.endswith((".png", ".jpg"))


def _read(path: Path) -> "list[Judgement]":
    from albedo_pipeline.metrics.whdr import Judgement

    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        points = {point["id"]: point for point in content["intrinsic_points"]}
        compared = [
            (points[c["point1"]], points[c["point2"]], c["darker"], _weight(c))
            for c in content["intrinsic_comparisons"]
        ]
        return [
            Judgement(*_place(one), *_place(two), darker, weight)
            for one, two, darker, weight in compared
            if one["opaque"] and two["opaque"]
        ]
    except KeyError as error:
        raise ValueError(f"the judgements have no {error}") from error
    except (ValueError, TypeError, RecursionError) as error:
        raise ValueError(f"not a file of judgements ({error})") from error


def _place(point: dict) -> tuple[float, float]:
    """x, y; outside [0, 1] another pixel, or none, would be compared."""
    for axis in ("x", "y"):
        if not 0 <= point[axis] <= 1:
            raise ValueError(f"point {point['id']}: {axis} is {point[axis]}, expected 0 to 1")
    return point["x"], point["y"]


def _weight(comparison: dict) -> float:
    """The score; without one, 0."""
    score = comparison["darker_score"]
    if score is not None and not math.isfinite(score):
        raise ValueError(f"darker_score is {score}")
    return score or 0
