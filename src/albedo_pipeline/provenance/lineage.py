"""What stored results were made from, and whether that is what is at hand.

Each result carries the digests of what it was made from; each stage that reads several results
compares them, so that no two of different runs are mixed:

- a row of the latents has the digests of its pair and of the encoder;
- the denoiser has `made_from`: digests of pairs, latents, encoder, autoencoder and settings;
- a row of the predictions has the digest of the lineage, which names pairs, settings and weights;
- the metrics repeat the lineage, with digests of the predictions and of their own content;
- a table has, in `attrs`, what it was made from and a digest of its content; the training log has
  the name of its run there, too;
- `audit_summary` and `autoencoder_report` have a digest of their content, too;
- the exported folder has `made_from.json` with the lineage of its scores.
"""

import hashlib
import json
from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import partial
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from albedo_pipeline.errors import ProjectError

PAIR_COLUMNS = ("sample_id", "digest", "group", "split")
"""Columns of the manifest that say which pair is in which split."""
RULE_COLUMN = "split_rule"
"""Column of the manifest that says what put a sample into its split, if the split was published."""
_AT_A_TIME = 2**16
"""Number of values that are Python's at a time while a digest is computed."""
_EVALUATE, _INGEST = "the pipeline evaluate", "the pipeline ingest"
_MADE_FROM, _CONTENT = "made_from", "content"


def content_digest(content: object) -> str:
    """Digest of anything that JSON can hold, equal after a trip through a JSON file."""
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def pairs_digest(columns: Iterable[pa.Array | pa.ChunkedArray | pd.Series | list[str]]) -> str:
    """Digest of the pairs and their splits, in any order.

    It is the `content_digest` of the sorted rows, computed with few of them as Python's at a time.

    Args:
        columns: the values of `PAIR_COLUMNS`, one for each sample.
    """
    table = pa.table([_as_arrow(column) for column in columns], names=PAIR_COLUMNS)
    # Arrow sorts texts by their UTF-8 bytes, which is the order of Python's strings.
    order = pc.sort_indices(table, [(name, "ascending") for name in PAIR_COLUMNS])

    def rows(start: int, stop: int) -> list:
        part = table.take(order.slice(start, stop - start))
        columns = (c.to_numpy(zero_copy_only=False).tolist() for c in part.columns)
        return list(zip(*columns, strict=True))

    digest = hashlib.sha256()
    _update_with_json(digest, rows, len(table))
    return digest.hexdigest()[:16]


def manifest_digest(manifest: pd.DataFrame) -> str:
    """`pairs_digest` of the samples of a manifest."""
    return pairs_digest(manifest[name] for name in PAIR_COLUMNS)


def _as_arrow(column: pa.Array | pa.ChunkedArray | pd.Series | list[str]) -> Any:
    return column if isinstance(column, pa.Array | pa.ChunkedArray) else pa.array(column)


def _update_with_json(digest: Any, values: Callable[[int, int], list], count: int) -> None:
    """Add a list as JSON to a digest; `values` gives a part of it."""
    digest.update(b"[")
    for start in range(0, count, _AT_A_TIME):
        text = json.dumps(values(start, min(count, start + _AT_A_TIME)), default=str)[1:-1]
        digest.update(f"{', ' if start else ''}{text}".encode())
    digest.update(b"]")


def check_made_from(
    name: str, made_from: object, at_hand: Mapping[str, str], pipelines: str
) -> None:
    """Check that a stored result was made from what is at hand.

    Args:
        name: the result, as its catalog entry or its folder is named.
        made_from: digests of what it was made from, by name.
        at_hand: digests of what is at hand; `made_from` may have more.
        pipelines: the pipelines that make the result again, for the error.

    Raises:
        ProjectError: if it was made from something else, or does not say from what.
    """
    known = made_from if isinstance(made_from, dict) else {}
    for part, digest in at_hand.items():
        if part not in known:
            raise ProjectError(
                f"{name}: damaged, or from an earlier version: does not say from which {part} it "
                f"was made; run {pipelines} again"
            )
        if known[part] != digest:
            raise ProjectError(
                f"{name}: not made from the {part} at hand ({known[part]} there, {digest} here); "
                f"run {pipelines} again"
            )


def with_table_digests(table: pd.DataFrame, made_from: Mapping[str, str]) -> pd.DataFrame:
    """The table with what it was made from and a digest of its content, for `check_table`.

    They are in `attrs`, which Parquet files keep.
    """
    described = table.copy(deep=False)
    described.attrs = {_MADE_FROM: dict(made_from), _CONTENT: _digest_of_columns(table.items())}
    return described


def check_table(name: str, table: pd.DataFrame, at_hand: Mapping[str, str], pipelines: str) -> None:
    """Check that a table is as it was made, from what is at hand.

    A table of an earlier version, which has no digests, is not checked.

    Args:
        name: name of the table's catalog entry.
        table: the table, as a pipeline stored it.
        at_hand: digests of what is at hand; the table may name more.
        pipelines: the pipelines that make the table again, for the error.

    Raises:
        ProjectError: if it was made from something else, or changed afterwards.
    """
    if _CONTENT not in table.attrs:
        return
    check_made_from(name, table.attrs.get(_MADE_FROM), at_hand, pipelines)
    if table.attrs[_CONTENT] != _digest_of_columns(table.items()):
        raise _changed(name, pipelines)


def run_of(training_log: pd.DataFrame) -> str | None:
    """Name of the run that a stored training log is of; None if an earlier version wrote it."""
    return training_log.attrs.get(_MADE_FROM, {}).get("run")


def check_manifest(manifest: pd.DataFrame) -> None:
    """Check that a stored manifest is as `ingest` made it.

    Raises:
        ProjectError: if it was changed.
    """
    check_table("manifest", manifest, {}, _INGEST)


def part_of_manifest(
    part: pd.DataFrame, columns: Iterable[tuple[Hashable, pd.Series]]
) -> pd.DataFrame:
    """Some columns of a stored manifest, with a digest of them for `check_manifest`.

    Args:
        part: the columns, with the `attrs` of the stored table.
        columns: all columns of the stored table by name, which are compared with its digest; each
            is asked for once.

    Raises:
        ProjectError: if the stored table was changed.
    """
    if _CONTENT not in part.attrs:  # of an earlier version
        return part
    if part.attrs[_CONTENT] != _digest_of_columns(columns):
        raise _changed("manifest", _INGEST)
    return with_table_digests(part, part.attrs[_MADE_FROM])


def _digest_of_columns(columns: Iterable[tuple[Hashable, pd.Series]]) -> str:
    """Digest of columns' names and values as JSON: `[["name", [value, …]], …]`."""
    digest = hashlib.sha256(b"[")
    for place, (name, column) in enumerate(columns):
        digest.update(f"{', ' if place else ''}[{json.dumps(str(name))}, ".encode())
        _update_with_json(digest, partial(_values, column), len(column))
        digest.update(b"]")
    digest.update(b"]")
    return digest.hexdigest()[:16]


def _values(column: pd.Series, start: int, stop: int) -> list:
    return column.iloc[start:stop].tolist()


def check_is_object(name: str, result: object, pipelines: str) -> None:
    """Check that a result in JSON is an object, as all of the project's are.

    Raises:
        ProjectError: if it is not.
    """
    if not isinstance(result, dict):
        raise ProjectError(f"{name}: damaged, no JSON object; run {pipelines} again")


def with_content(result: dict) -> dict:
    """A result in JSON with a digest of all it says, which `check_content` compares."""
    return result | {_CONTENT: content_digest(result)}


def without_content(result: dict) -> dict:
    """A result in JSON without the digest of `with_content`."""
    return {key: value for key, value in result.items() if key != _CONTENT}


def check_content(name: str, result: dict, pipelines: str) -> None:
    """Check that a result in JSON was not changed after it was made.

    A result of an earlier version, which has no digest, is not checked.

    Raises:
        ProjectError: if it was changed.
    """
    if _CONTENT in result and result[_CONTENT] != content_digest(without_content(result)):
        raise _changed(name, pipelines)


def _changed(name: str, pipelines: str) -> ProjectError:
    return ProjectError(f"{name}: changed after it was made; run {pipelines} again")


def check_denoiser(made_from: dict[str, str], at_hand: Mapping[str, str]) -> None:
    """Check that a denoiser was trained with what is at hand.

    One that was trained on the latents of other projects alone names no pairs and no latents, and
    fits any.

    Raises:
        ProjectError: if it was trained with something else, or does not say with what.
    """
    is_own = "pairs" in made_from or not made_from
    compared = {k: v for k, v in at_hand.items() if is_own or k not in ("pairs", "latents")}
    check_made_from("denoiser", made_from, compared, "the pipeline train")


def with_content_digest(metrics: dict) -> dict:
    """The metrics with a digest of all they say, which `check_metrics` compares."""
    lineage = metrics["lineage"] | {_CONTENT: _digest_of_metrics(metrics)}
    return metrics | {"lineage": lineage}


def check_metrics(metrics: dict, at_hand: Mapping[str, str]) -> None:
    """Check that an evaluation's numbers are as they were measured, on what is at hand.

    Args:
        metrics: content of `metrics.json`.
        at_hand: digests of what is at hand, by the names of the lineage.

    Raises:
        ProjectError: if the metrics were measured on something else, or changed afterwards.
    """
    check_is_object("metrics", metrics, _EVALUATE)
    lineage = metrics.get("lineage")
    check_made_from("metrics", lineage, at_hand, _EVALUATE)
    if not isinstance(lineage, dict) or lineage.get(_CONTENT) != _digest_of_metrics(metrics):
        raise ProjectError(
            f"metrics: changed after the evaluation, or from an earlier version; run {_EVALUATE} "
            "again"
        )


def check_predictions(metrics: dict, fingerprint: str) -> None:
    """Check that an evaluation's numbers belong to predictions, such as those of another run.

    Args:
        metrics: content of `metrics.json`.
        fingerprint: fingerprint of the stored predictions.

    Raises:
        ProjectError: if the metrics name other predictions, or none.
    """
    at_hand = {"predictions": fingerprint}
    check_made_from("metrics", metrics.get("lineage"), at_hand, _EVALUATE)


def _digest_of_metrics(metrics: dict) -> str:
    lineage = metrics.get("lineage")
    known = lineage if isinstance(lineage, dict) else {}
    return content_digest(metrics | {"lineage": without_content(known)})
