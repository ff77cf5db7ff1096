"""Raw pairs that are found by patterns of their file names."""

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.masked_ids import check_masked_ids
from albedo_pipeline.readers.name_pattern import NamePattern, SampleKey, files_by_role
from albedo_pipeline.readers.pair_files import PairFiles, PairReader, bad_reference, group_of
from albedo_pipeline.readers.raw_pairs import FoundPairs, RawPairReference
from albedo_pipeline.readers.roots import Root, open_root

logger = logging.getLogger(__name__)


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

    def load(self) -> FoundPairs:
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
        references = [self._reference(root, key, files) for key in sorted(files["beauty"])]
        return FoundPairs(references, root.companions)

    def _reference(
        self, root: Root, key: SampleKey, files: dict[str, dict[SampleKey, list[str]]]
    ) -> RawPairReference:
        group = key.group or group_of(key.sample, key.sample)
        chosen: dict[str, str] = {}
        for role, pattern in self._patterns.items():
            names = files[role].get(key, [])
            if not names:
                message = f"{pattern.for_sample(key)}: no {role}"
                bad = bad_reference(key.sample_id, group, message)
                return replace(bad, beauty=chosen.get("beauty"))
            if len(names) > 1:
                message = f"{', '.join(names)}: {len(names)} files for one {role}"
                return bad_reference(key.sample_id, group, message)
            chosen[role] = names[0]
        return PairFiles(
            key.sample_id,
            group,
            root,
            chosen["beauty"],
            chosen["albedo"],
            chosen.get("mask"),
            self._options,
            chosen.get("ids"),
        ).reference()

    def _describe(self) -> dict[str, object]:
        return super()._describe() | {role: p.text for role, p in self._patterns.items()}


def _check_patterns(patterns: dict[str, NamePattern]) -> None:
    beauty = patterns["beauty"]
    for role, pattern in patterns.items():
        if pattern.fields != beauty.fields:
            raise ProjectError(
                f"{role}: {pattern.text!r} does not have the same fields as beauty, {beauty.text!r}"
            )
    if len({pattern.text for pattern in patterns.values()}) < len(patterns):
        raise ProjectError(f"{', '.join(patterns)}: two patterns are the same")
