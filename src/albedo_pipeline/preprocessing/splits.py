"""Splits that were published: by lists of samples or groups, or by a column of the raw data.

Each sample's split depends on what is listed alone, so adding samples never moves others. A sample
that is in no split is left out before anything is read.
"""

import logging
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params.ingest import SplitParams
from albedo_pipeline.preprocessing.split_rules import COLUMN_RULE, HASH_RULE, list_rule
from albedo_pipeline.readers.name_list import names_by_line
from albedo_pipeline.readers.raw_pairs import SPLITS, RawPairReference, References
from albedo_pipeline.readers.root_names import nfc
from albedo_pipeline.runtime.storage import opened

logger = logging.getLogger(__name__)

_NAMED = 3
"""Number of names in a warning."""


@dataclass(frozen=True)
class PublishedSplit:
    """Which sample is in which split; empty if the split is by hash."""

    by_sample: Mapping[str, str] = field(default_factory=dict)
    """Split of each sample that is in one, by its sample_id."""
    rules: Mapping[str, str] = field(default_factory=lambda: dict.fromkeys(SPLITS, HASH_RULE))
    """For each split that has samples, what put them there."""
    left_out: int = 0
    """Number of samples that are in no split."""
    names_without_sample: Mapping[str, int] = field(default_factory=dict)
    """For each list, the number of its names that no sample has."""

    def __bool__(self) -> bool:
        """Whether a split was published."""
        return bool(self.by_sample)

    def kept(self, references: Sequence[RawPairReference]) -> Sequence[RawPairReference]:
        """The samples that are in a split; all of them if the split is by hash."""
        if not self:
            return references
        if isinstance(references, References):
            return references.where(lambda reference: reference.sample_id in self.by_sample)
        return [r for r in references if r.sample_id in self.by_sample]

    def of(self, sample_id: str) -> str:
        """Split of a sample, or of a crop of it, which is named `sample@1` and so on."""
        if sample_id in self.by_sample:
            return self.by_sample[sample_id]
        return self.by_sample[sample_id.rpartition("@")[0]]

    def description(self) -> dict:
        """What the audit's summary says about the split."""
        return {
            "split_rules": dict(self.rules),
            "left_out": self.left_out,
            "names_without_sample": dict(self.names_without_sample),
        }


def published_split(references: Sequence[RawPairReference], params: SplitParams) -> PublishedSplit:
    """The split that the settings or the raw data name; empty if they name none.

    Raises:
        ProjectError: if both name one, a list cannot be read or names no sample, a sample is on
            two lists, no sample is in a split, or a group is in two splits and not in
            `shared_groups`; the message names the file, the sample or the group.
    """
    by_reader = {r.sample_id: r.split for r in references if r.split is not None}
    if by_reader and params.lists:
        raise ProjectError(
            "ingest.split.lists: the table of the raw pairs has a column split, too; leave the "
            "lists out, or name the column in the reader's `ignore`"
        )
    if by_reader:
        by_sample = {sample_id: split for sample_id, split in by_reader.items() if split}
        published = PublishedSplit(
            by_sample,
            {split: COLUMN_RULE for split in SPLITS if split in by_sample.values()},
            len(references) - len(by_sample),
        )
        if not published:
            raise ProjectError("the column split of the raw pairs' table is empty in every row")
    elif params.lists:
        published = _by_lists(references, params)
    else:
        return PublishedSplit()
    _check_groups(published.kept(references), published.by_sample, params.shared_groups)
    if published.left_out:
        left_out = [r.sample_id for r in references if r.sample_id not in published.by_sample]
        logger.warning(
            "ingest.split: %d of %d samples are in no split and left out: %s",
            len(left_out),
            len(references),
            _first(left_out),
        )
    return published


def _by_lists(references: Sequence[RawPairReference], params: SplitParams) -> PublishedSplit:
    lists = params.lists.files() if params.lists else {}
    samples = _samples_by_name(references, params.by)
    by_sample: dict[str, str] = {}
    rules, missing = {}, {}
    for split, path in lists.items():
        names = _names_of(path, split)
        for sample_id in (sample_id for name in names for sample_id in samples.get(name, [])):
            other = by_sample.setdefault(sample_id, split)
            if other != split:
                raise ProjectError(
                    f"ingest.split.lists: sample {sample_id!r} is on two lists, {lists[other]} and "
                    f"{path}; remove it from one"
                )
        unknown = [name for name in names if name not in samples]
        _check_matches(path, split, names, unknown, references, params.by)
        missing[split] = len(unknown)
        rules[split] = list_rule(path.name, params.by, names)
    return PublishedSplit(by_sample, rules, len(references) - len(by_sample), missing)


def _names_of(path: Path, split: str) -> dict[str, None]:
    """The first name of each line, normalised, in the order of the list."""
    try:
        with opened(path) as file:
            return dict.fromkeys(_normal(names[0]) for _, names in names_by_line(path, file))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise ProjectError(f"ingest.split.lists.{split}: {path}: no such file") from error
    except OSError as error:
        raise ProjectError(f"ingest.split.lists.{split}: {one_line(error)}") from error


def _samples_by_name(references: Sequence[RawPairReference], by: str) -> dict[str, list[str]]:
    """The samples that a name on a list stands for.

    By group, these are all samples of the group. By sample, a name is that of the sample or of its
    beauty file; if it is both, the name of the sample counts.
    """
    if by == "group":
        groups: dict[str, list[str]] = {}
        for reference in references:
            groups.setdefault(_normal(reference.group), []).append(reference.sample_id)
        return groups
    files = {_normal(r.beauty): [r.sample_id] for r in references if r.beauty}
    return files | {_normal(r.sample_id): [r.sample_id] for r in references}


def _normal(name: str) -> str:
    return nfc(posixpath.normpath(name))


def _check_matches(
    path: Path,
    split: str,
    names: Mapping[str, None],
    unknown: list[str],
    references: Sequence[RawPairReference],
    by: str,
) -> None:
    """Raise ProjectError if no name of a list is known; warn if some are not."""
    if len(unknown) == len(names):
        example = getattr(references[0], "group" if by == "group" else "sample_id")
        raise ProjectError(
            f"ingest.split.lists.{split}: {path}: none of its {len(names)} names is a {by} of the "
            f"raw pairs; it begins with {unknown[0]!r}, and a {by} is named {example!r}"
        )
    if unknown:
        logger.warning(
            "%s: %d of %d names are no %s of the raw pairs: %s",
            path,
            len(unknown),
            len(names),
            by,
            _first(unknown),
        )


def _check_groups(
    references: Sequence[RawPairReference], by_sample: Mapping[str, str], shared: Sequence[str]
) -> None:
    """Raise ProjectError if a group is in two splits and not among the shared ones."""
    allowed = set(map(_normal, shared))
    first: dict[str, RawPairReference] = {}
    for reference in references:
        other = first.setdefault(_normal(reference.group), reference)
        splits = [by_sample[r.sample_id] for r in (other, reference)]
        if splits[0] != splits[1] and _normal(reference.group) not in allowed:
            raise ProjectError(
                f"ingest.split: group {reference.group!r} is in two splits: {other.sample_id!r} in "
                f"{splits[0]}, {reference.sample_id!r} in {splits[1]}; put all its samples into "
                "one split, or name the group in ingest.split.shared_groups"
            )


def _first(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
