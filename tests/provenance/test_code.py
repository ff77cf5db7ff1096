"""Code digests: exactly the files that a result depends on."""

import sys
from pathlib import Path

import pytest

from albedo_pipeline.provenance.code import code_digest, decides_stored_bytes, modules_behind
from tests.support.project import ROOT

ROWS = {
    "ingest": "albedo_pipeline.preprocessing.pair_rows",
    "encode": "albedo_pipeline.preprocessing.latent_rows",
}
"""Modules that the cache keys of the two shard builds start from."""
BEHIND = {
    "ingest": {
        "imaging.alignment",
        "imaging.colour",
        "imaging.colour_space_checks",
        "imaging.crops",
        "imaging.dhash",
        "imaging.exposure",
        "imaging.image",
        "imaging.declarations",
        "imaging.io.channels",
        "imaging.io.cmyk",
        "imaging.io.colour_conversion",
        "imaging.io.colour_tags",
        "imaging.io.display_window",
        "imaging.io.file_channels",
        "imaging.io.ids",
        "imaging.io.interpretation",
        "imaging.io.source",
        "imaging.io.npy",
        "imaging.io.read",
        "imaging.normalise",
        "imaging.pixel_checks",
        "imaging.pixels",
        "imaging.prepare_pair",
        "imaging.resize",
        "imaging.stored_srgb",
        "imaging.target_checks",
        "preprocessing.pair_rows",
        "readers.masked_ids",
        "readers.pair_files",
        "readers.raw_pairs",
        "readers.remote_root",
        "readers.root_names",
        "readers.roots",
        "readers.tar_index",
        "readers.tar_root",
        "readers.unchanged",
        "shards.index",
        "shards.remote_rows",
        "shards.scalar_text",
        "shards.shard_file",
        "shards.tensor_columns",
    },
    "encode": {
        "imaging.pixels",
        "models.autoencoder",
        "models.loading",
        "models.precision",
        "preprocessing.latent_rows",
        "provenance.weights",
        "shards.index",
        "shards.pair_shards",
        "shards.remote_rows",
        "shards.scalar_text",
        "shards.shard_file",
        "shards.shards",
        "shards.tensor_columns",
    },
}
"""Every file in the two keys. Extend a list only by code that decides stored bytes."""


@pytest.fixture
def user_reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """File of an imported module `user_reader` outside the package."""
    path = tmp_path / "user_reader.py"
    path.write_text("from albedo_pipeline.readers import hypersim\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "user_reader", raising=False)
    __import__("user_reader")
    return path


@pytest.mark.parametrize("build", ["ingest", "encode"])
def test_a_key_holds_exactly_the_files_that_make_its_rows(build: str) -> None:
    behind = modules_behind([ROWS[build]], decides_stored_bytes)
    assert {name.removeprefix("albedo_pipeline.") for name in behind} == BEHIND[build]


def test_settings_errors_and_the_runtime_do_not_count() -> None:
    imported = "".join(
        (ROOT / "src" / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
        for module in ROWS.values()
    )
    behind = modules_behind(ROWS.values(), decides_stored_bytes)
    for room in ("errors", "params", "runtime"):
        assert f"from albedo_pipeline.{room}" in imported
        assert not any(name.startswith(f"albedo_pipeline.{room}") for name in behind)


def test_two_readers_have_different_digests() -> None:
    readers = ("hypersim", "exr_layers", "pair_files")
    digests = {code_digest(ROWS["ingest"], f"albedo_pipeline.readers.{name}") for name in readers}
    assert len(digests) == 3


def test_the_order_of_the_modules_does_not_matter() -> None:
    one, two = ROWS.values()
    assert code_digest(one, two) == code_digest(two, one, one)


def test_a_module_outside_the_package_counts_with_its_own_file(user_reader: Path) -> None:
    assert modules_behind(["user_reader"], decides_stored_bytes) == {"user_reader"}
    before = code_digest("user_reader")
    assert code_digest("user_reader") == before
    user_reader.write_text("# a comment\n", encoding="utf-8")
    assert code_digest("user_reader") != before
