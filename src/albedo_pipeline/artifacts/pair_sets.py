"""Sets of pairs, each with its manifest: the project's own, and those of other projects."""

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import NamedTuple, NoReturn

import pandas as pd
from kedro.io import AbstractDataset, DatasetError

from albedo_pipeline.artifacts.tables import read_manifest
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params.base import OWN_SET
from albedo_pipeline.provenance.lineage import check_manifest
from albedo_pipeline.runtime.storage import location
from albedo_pipeline.shards.pair_shards import PairShards

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")
"""A name that can be part of a file's name, and of a column's."""


class PairSet(NamedTuple):
    """Pairs, and which of them are in which split."""

    pairs: PairShards
    manifest: pd.DataFrame


class PairSetsDataset(AbstractDataset[NoReturn, dict[str, PairSet]]):
    """Loads pairs that other projects ingested, by name.

    Args:
        sets: by name, folders with `pairs` and `manifest.parquet`, as `data/03_primary` of a
            project is.
    """

    def __init__(self, *, sets: dict[str, str], metadata: dict | None = None) -> None:
        for name in sets:
            if name == OWN_SET or not _NAME.fullmatch(name):
                raise ProjectError(
                    f"more_pairs.sets: {name!r} cannot be the name of a set; choose another one of "
                    f"letters, digits, '_', '-' and '.' ({OWN_SET!r} is the project's own)"
                )
        self._folders = {name: location(folder) for name, folder in sets.items()}
        self.metadata = metadata

    def load(self) -> dict[str, PairSet]:
        """Open every set.

        Raises:
            ProjectError: if a set is missing or damaged, or its manifest is of other pairs; names
                its folder.
        """
        return {name: _read(name, folder) for name, folder in self._folders.items()}

    def save(self, data: NoReturn) -> None:
        """Refuse: each set is written by the project that ingests it.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("further sets of pairs are read-only")

    def _describe(self) -> dict[str, object]:
        return {"sets": {name: str(folder) for name, folder in self._folders.items()}}


def _read(name: str, folder: Path) -> PairSet:
    where = f"more_pairs.sets.{name}: {folder}"
    file = folder / "manifest.parquet"
    if not file.is_file():
        raise ProjectError(
            f"{where}: no manifest.parquet here; name the folder data/03_primary of a project that "
            "has ingested its pairs"
        )
    manifest = read_manifest(file)
    pairs = PairShards(folder / "pairs")
    try:
        check_manifest(manifest)
        pairs.check_manifest(manifest)
    except ProjectError as error:
        raise ProjectError(f"{where}: {error}") from error
    return PairSet(pairs, manifest)


def named_sets(
    names: Iterable[str], own: PairSet, more: Mapping[str, PairSet], key: str
) -> dict[str, PairSet]:
    """The sets that a setting names, in its order.

    Args:
        names: names of the sets.
        own: the project's own pairs.
        more: what `PairSetsDataset` loaded.
        key: the setting, for errors.

    Raises:
        ProjectError: if there is no set of a name.
    """
    known = {OWN_SET: own, **more}
    for name in names:
        if name not in known:
            raise ProjectError(
                f"{key}: no set {name!r}; known sets are {', '.join(known)}. Add yours to the "
                "catalog's entry more_pairs"
            )
    return {name: known[name] for name in names}
