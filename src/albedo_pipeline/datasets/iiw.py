"""Intrinsic Images in the Wild (Bell, Bala & Snavely 2014), as its archive unpacks."""

import json
from functools import partial
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from albedo_pipeline.datasets.pair_files import PairReader, read_from
from albedo_pipeline.datasets.photos import Photo
from albedo_pipeline.datasets.roots import open_root
from albedo_pipeline.errors import ProjectError

if TYPE_CHECKING:
    from albedo_pipeline.metrics.whdr import Judgement

SPLITS = ("all", "narihira_test")


class IIWDataset(PairReader):
    """`<id>.png` with `<id>.json`: which of two points people took for the darker surface.

    Points that are not opaque, and comparisons of no weight, are left out, as the published code
    does.

        iiw_photos:
          type: albedo_pipeline.datasets.iiw.IIWDataset
          filepath: /data/iiw-dataset/data

    Args:
        filepath: the folder, or an uncompressed `.tar` of it.
        split: `narihira_test`, every fifth photograph in the order of their numbers from the first
            on (Narihira et al. 2015), which published numbers are about; or `all`.
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
            ProjectError: where there is no such folder, or no photograph with judgements in it.
        """
        root = open_root(self._path)
        names = root.names()
        images = {str(PurePosixPath(name).with_suffix("")): name for name in names if _shows(name)}
        judged = [name for name in names if name.endswith(".json") and name[:-5] in images]
        if not judged:
            raise ProjectError(f"{root.path}: no <id>.png with <id>.json")
        judged.sort(key=lambda name: (len(Path(name).stem), name))
        chosen = judged[::5] if self._split == "narihira_test" else judged
        limit = self._declaration.max_pixels
        return [
            Photo(
                name=name[:-5],
                root=root,
                image=images[name[:-5]],
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
            (points[c["point1"]], points[c["point2"]], c["darker"], c["darker_score"] or 0)
            for c in content["intrinsic_comparisons"]
        ]
        return [
            Judgement(one["x"], one["y"], two["x"], two["y"], darker, weight)
            for one, two, darker, weight in compared
            if one["opaque"] and two["opaque"]
        ]
    except KeyError as error:
        raise ValueError(f"no {error} where the judgements should have one") from error
    except (ValueError, TypeError) as error:
        raise ValueError(f"not a file of judgements ({error})") from error
