"""Raw pairs that are found by patterns of their file names."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.masked_ids import check_masked_ids
from albedo_pipeline.readers.name_pattern import NamePattern, SampleKey, files_by_role
from albedo_pipeline.readers.pair_files import (
    PairFiles,
    PairReader,
    ReaderOptions,
    bad_reference,
    group_of,
)
from albedo_pipeline.readers.raw_pairs import RawPairReference, ReferenceRow, References
from albedo_pipeline.readers.roots import Root, open_root

logger = logging.getLogger(__name__)
_ROLES = ("beauty", "albedo", "mask", "ids")


class FolderPatternDataset(PairReader[RawPairReference]):
    """Every beauty in a folder or `.tar` whose name fits, with the albedo of the same sample.

    In a pattern, `{sample}` may span folders, `{group}` is exactly one part of the path, and `*` is
    any text within a part. With `{group}`, a sample is named `group/sample`. Without it, the group
    is the folder in `{sample}`, or the sample itself if it is in no folder.

        raw_pairs:
          type: albedo_pipeline.readers.folder_pattern.FolderPatternDataset
          filepath: data/01_raw/mine
          beauty: "{group}/beauty/{sample}.*"
          albedo: "{group}/albedo/{sample}.*"
          colour_space: srgb

    Args:
        filepath: a folder, or an uncompressed `.tar`.
        beauty: pattern of the beauty files.
        albedo: pattern of the albedo files, with the same fields.
        mask: pattern of the mask files; None if there are no masks.
        ids: pattern of the files with one id of an entity or a material per pixel; only with
            `masked_ids`.
        masked_ids: ids whose pixels are masked, because their target is no albedo.
        options: `colour_space`, `mask_rule`, `max_megapixels`, `alpha`, `grey_beauty`; see
            `PairReader`.
    """

    def __init__(
        self,
        *,
        filepath: str,
        beauty: str = "{sample}_beauty.*",
        albedo: str = "{sample}_albedo.*",
        mask: str | None = None,
        ids: str | None = None,
        masked_ids: Sequence[int] = (),
        **options: Any,
    ) -> None:
        super().__init__(filepath=filepath, **options)
        self._options = replace(self._options, masked_ids=check_masked_ids(ids, masked_ids))
        texts = {"beauty": beauty, "albedo": albedo, "mask": mask, "ids": ids}
        self._patterns = {role: NamePattern(role, text) for role, text in texts.items() if text}
        _check_patterns(self._patterns)

    def load(self) -> References:
        """References, sorted by the names of the samples.

        A beauty without an albedo (or mask), and a sample with two files for one role, give a
        reference that cannot be loaded. Albedos without a beauty are counted in one warning.

        Raises:
            ProjectError: if there is no such folder, or no file fits a pattern.
        """
        root = open_root(self._path)
        files = files_by_role(root, self._patterns)
        unpaired = files["albedo"].keys() - files["beauty"].keys()
        if unpaired:
            logger.warning("%s: %d albedo(s) without a beauty", self._path, len(unpaired))
        rows = (self._row(key, files) for key in sorted(files["beauty"]))
        return References(rows, partial(_reference, root, self._options), root.companions)

    def _row(self, key: SampleKey, files: dict[str, dict[SampleKey, list[str]]]) -> ReferenceRow:
        """Name and group of a sample, why it cannot be read if so, and its files by role."""
        group = key.group or group_of(key.sample, key.sample)
        chosen: dict[str, str] = {}
        message = None
        for role, pattern in self._patterns.items():
            names = files[role].get(key, [])
            if len(names) > 1:
                message = f"{', '.join(names)}: {len(names)} files for one {role}"
                chosen = {}
                break
            if not names:
                message = f"{pattern.for_sample(key)}: no {role}"
                break
            chosen[role] = names[0]
        return key.sample_id, group, message, *map(chosen.get, _ROLES)

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {role: p.text for role, p in self._patterns.items()}


def _reference(root: Root, options: ReaderOptions, row: ReferenceRow) -> RawPairReference:
    sample_id, group, message, beauty, albedo, mask, ids = row
    if message is not None:
        return replace(bad_reference(sample_id, group, message), beauty=beauty)
    return PairFiles(sample_id, group, root, beauty, albedo, mask, options, ids).reference()


def _check_patterns(patterns: dict[str, NamePattern]) -> None:
    beauty = patterns["beauty"]
    for role, pattern in patterns.items():
        if pattern.fields != beauty.fields:
            raise ProjectError(
                f"{role}: {pattern.text!r} does not have the same fields as beauty, {beauty.text!r}"
            )
    if len({pattern.text for pattern in patterns.values()}) < len(patterns):
        raise ProjectError(f"{', '.join(patterns)}: two patterns are the same")
