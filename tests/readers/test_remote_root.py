"""Raw data in a bucket: the shards of a folder, and a store that fails loses nothing."""

import logging
import pickle
import tarfile
from collections.abc import Callable
from pathlib import Path
from unicodedata import normalize

import pyarrow as pa
import pyarrow.parquet
import pytest
from kedro.io import DatasetError

from albedo_pipeline.errors import BadSampleError, ProjectError, TransientReadError
from albedo_pipeline.params import IngestParams
from albedo_pipeline.params.ingest import SplitParams
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.splits import published_split
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.folder_pattern import FolderPatternDataset
from albedo_pipeline.readers.manifest_table import ManifestTableDataset
from albedo_pipeline.readers.pair_files import PairReader
from albedo_pipeline.readers.remote_root import RemoteRoot
from albedo_pipeline.readers.roots import open_root
from albedo_pipeline.runtime.storage import location, put, remove, upload
from albedo_pipeline.shards.datasets import PairShardsDataset
from tests.support.object_store import Faults
from tests.support.pairs import fake_pairs

PARAMS = IngestParams.model_validate({"resolution": 16, "workers": 2})
FILES = 4 * 3
"""Beauty, albedo and mask of four pairs."""


@pytest.fixture(scope="module")
def raw(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with four pairs, their list and their table."""
    folder = tmp_path_factory.mktemp("disk") / "raw"
    FilenameListDataset(filepath=str(folder / "pairs.txt")).save(fake_pairs(2, 2))
    lines = (folder / "pairs.txt").read_text().splitlines()
    rows = ["beauty,albedo,mask", *(",".join(line.split()) for line in lines)]
    (folder / "tables").mkdir()
    (folder / "tables" / "pairs.csv").write_text("\n".join(rows))
    columns = [
        pa.array(column) for column in zip(*(row.split(",") for row in rows[1:]), strict=True)
    ]
    table = pa.table(columns, names=rows[0].split(","))
    pa.parquet.write_table(table, folder / "tables" / "pairs.parquet")
    return folder


def uploaded(raw: Path, url: str) -> str:
    for path in sorted(path for path in raw.rglob("*") if path.is_file()):
        upload(path, location(url) / path.relative_to(raw).as_posix())
    return url


@pytest.fixture(scope="module")
def url(raw: Path, bucket: str) -> str:
    """URL of a copy of the folder."""
    return uploaded(raw, f"{bucket}/raw")


@pytest.fixture
def ingested(tmp_path: Path) -> Callable[[str], list[str]]:
    """Function that ingests a list of pairs; returns the samples that were read for it."""

    def ingest(listed: str, folder: str = "out") -> list[str]:
        made = []
        build = PairBuild(FilenameListDataset(filepath=listed).load(), PARAMS)
        item = build.item
        build.item = lambda source: made.append(item(source).sample_id) or item(source)
        PairShardsDataset(filepath=str(tmp_path / folder), samples_per_shard=3).save(build)
        return made

    return ingest


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*.arrow")}


def test_the_shards_are_those_of_a_folder(
    raw: Path, url: str, ingested: Callable, tmp_path: Path, s3_server: Faults
) -> None:
    ingested(str(raw / "pairs.txt"), "disk")
    before = s3_server.requests
    ingested(f"{url}/pairs.txt")
    # The list, one listing, and for each file its content and its state after it was read.
    assert s3_server.requests - before == 2 + 2 * FILES
    assert len(shards(tmp_path / "out")) == 2
    assert shards(tmp_path / "out") == shards(tmp_path / "disk")


def test_only_a_pair_with_a_changed_object_is_read_again(
    raw: Path, folder_url: str, ingested: Callable, s3_server: Faults
) -> None:
    url = uploaded(raw, folder_url)
    assert len(ingested(f"{url}/pairs.txt")) == 4
    before = s3_server.requests
    assert ingested(f"{url}/pairs.txt") == []
    assert s3_server.requests - before == 2
    other = location(url) / "scene-000" / "view-0_albedo.exr"
    put(location(url) / "scene-001" / "view-1_albedo.exr", other.read_bytes())
    assert ingested(f"{url}/pairs.txt") == ["scene-001/view-1"]


def test_a_store_that_fails_half_of_the_requests_loses_nothing(
    raw: Path, url: str, ingested: Callable, tmp_path: Path, s3_server: Faults
) -> None:
    lines = (raw / "pairs.txt").read_text().splitlines(keepends=True)
    (raw / "two.txt").write_text("".join(lines[1:3]))
    put(location(url) / "two.txt", (raw / "two.txt").read_bytes())
    ingested(str(raw / "two.txt"), "disk")
    s3_server.fail_every, failed = 2, s3_server.failed
    try:
        assert len(ingested(f"{url}/two.txt")) == 2
    finally:
        s3_server.fail_every = 0
    assert s3_server.failed - failed >= FILES
    assert shards(tmp_path / "out") == shards(tmp_path / "disk")


def test_a_sample_that_the_store_does_not_give_is_tried_by_the_next_run(
    url: str, s3_server: Faults
) -> None:
    references = FilenameListDataset(filepath=f"{url}/pairs.txt").load()
    s3_server.refuses = True
    try:
        with pytest.raises(
            TransientReadError, match=r"^scene-000/view-0_beauty.exr: not read \(s3"
        ):
            references[0].load()
    finally:
        s3_server.refuses = False
    assert references[0].load().beauty.shape == (32, 32, 3)


def test_a_store_that_does_not_list_is_one_clear_error(url: str, s3_server: Faults) -> None:
    with pytest.raises(DatasetError, match=rf"{url}/none: no such folder, or an empty one"):
        FolderPatternDataset(filepath=f"{url}/none").load()
    with pytest.raises(DatasetError, match=r"s3://no-such-bucket/a: .*exist.*; check the URL$"):
        FolderPatternDataset(filepath="s3://no-such-bucket/a").load()
    with pytest.raises(DatasetError, match=rf"{url}/none\.csv: no such file$"):
        ManifestTableDataset(filepath=f"{url}/none.csv").load()
    s3_server.refuses = True
    try:
        with pytest.raises(DatasetError, match=rf"{url}: Access Denied; check the URL, the cred"):
            FolderPatternDataset(filepath=url).load()
        with pytest.raises(DatasetError, match=rf"{url}/pairs\.txt: .*Access Denied"):
            FilenameListDataset(filepath=f"{url}/pairs.txt").load()
    finally:
        s3_server.refuses = False


def test_a_url_of_a_file_is_no_folder(url: str) -> None:
    with pytest.raises(DatasetError, match=rf"{url}/pairs\.txt: neither a folder nor a \.tar$"):
        FolderPatternDataset(filepath=f"{url}/pairs.txt").load()


@pytest.mark.parametrize(
    "reader",
    [
        lambda url: FolderPatternDataset(filepath=url, mask="{sample}_mask.exr"),
        lambda url: ManifestTableDataset(filepath=f"{url}/tables/pairs.csv", root=".."),
        lambda url: ManifestTableDataset(filepath=f"{url}/tables/pairs.parquet", root=url),
    ],
)
def test_what_a_reader_finds_in_a_bucket(
    reader: Callable[[str], PairReader], raw: Path, url: str
) -> None:
    found, expected = reader(url).load(), reader(str(raw)).load()
    assert [r.sample_id for r in found] == [r.sample_id for r in expected]
    assert len(found) == 4
    assert (found[3].load().albedo == expected[3].load().albedo).all()
    assert found[3].signature().startswith(f"{url} scene-001/view-1_beauty.exr:")


def test_a_list_on_the_disk_may_name_files_in_a_bucket(raw: Path, url: str, tmp_path: Path) -> None:
    (tmp_path / "pairs.txt").write_bytes((raw / "pairs.txt").read_bytes())
    dataset = FilenameListDataset(filepath=str(tmp_path / "pairs.txt"), root=url)
    assert dataset.load()[0].load().valid.shape == (32, 32)


def test_lists_of_a_split_may_lie_in_a_bucket(url: str) -> None:
    put(location(url) / "test.txt", b"scene-001/view-0\n")
    references = FilenameListDataset(filepath=f"{url}/pairs.txt").load()
    params = SplitParams.model_validate({"lists": {"test": f"{url}/test.txt"}})
    assert published_split(references, params).by_sample == {"scene-001/view-0": "test"}
    params = SplitParams.model_validate({"lists": {"test": f"{url}/none.txt"}})
    with pytest.raises(ProjectError, match=rf"lists\.test: {url}/none\.txt: no such file$"):
        published_split(references, params)


def test_pairs_are_not_saved_to_a_bucket(url: str) -> None:
    with pytest.raises(DatasetError, match=rf"{url}/pairs\.txt: pairs are saved to a disk only$"):
        FilenameListDataset(filepath=f"{url}/pairs.txt").save([])


def remote_root(url: str, **files: bytes) -> RemoteRoot:
    for name, content in files.items():
        put(location(url) / name, content)
    root = open_root(location(url))
    assert isinstance(root, RemoteRoot)
    return root


def read(root: RemoteRoot, name: str) -> bytes:
    with root.opened(name) as path:
        return path.read_bytes()


@pytest.mark.parametrize("change", ["replaced", "removed"])
def test_what_changed_after_the_listing_is_tried_by_the_next_run(
    folder_url: str, change: str
) -> None:
    root = remote_root(folder_url, a=b"1")
    if change == "replaced":
        put(location(folder_url) / "a", b"2")
    else:
        remove([location(folder_url) / "a"])
    with pytest.raises(TransientReadError, match=r"^a: changed after it was listed$"):
        read(root, "a")


def test_a_copy_for_another_process_is_small_and_reads_the_same(
    folder_url: str, s3_server: Faults
) -> None:
    names = {normalize("NFD", "é"): b"accent", "a": b"plain"}
    root = remote_root(folder_url, **names, other=b"")
    pickled = pickle.dumps(root)
    assert b"other" not in pickled
    copy = pickle.loads(pickled)  # noqa: S301
    before = s3_server.requests
    assert read(copy, "a") == b"plain"
    assert s3_server.requests - before == 3  # state, content, state
    put(location(folder_url) / "a", b"new")
    assert read(copy, "a") == b"new"
    for name in ("b", "ß"):
        with pytest.raises(BadSampleError, match=f"^{name}: no such file$"):
            read(copy, name)
    assert read(copy, normalize("NFC", "é")) == b"accent"


def test_companions_and_names_of_no_file_are_passed_over(
    folder_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = location(folder_url)
    for key in ("b/1", "b/._1", "b/@eaDir/1", "b//2", "b/../3", "folder/"):
        path.fs.call_s3("put_object", Bucket=path.drive, Key=f"{path.name}/{key}", Body=b"")
    root = open_root(path)
    with caplog.at_level(logging.INFO):
        assert root.names() == ["b/1"]
    assert root.companions == 2
    assert f"{folder_url}: passed over 2 companion file(s)" in caplog.text


def test_an_archive_in_a_bucket(raw: Path, folder_url: str, s3_server: Faults, tmp_path) -> None:
    with tarfile.open(tmp_path / "raw.tar", "w") as archive:
        archive.add(raw, ".")
    path = location(folder_url) / "raw.tar"
    upload(tmp_path / "raw.tar", path)
    dataset = FolderPatternDataset(filepath=str(path))
    before = s3_server.requests
    found = dataset.load()
    assert s3_server.requests - before == 4  # two find the file, one its size, one all headers
    expected = FolderPatternDataset(filepath=str(tmp_path / "raw.tar")).load()
    assert (found[3].load().albedo == expected[3].load().albedo).all()
    put(path, b"x")
    with pytest.raises(
        TransientReadError, match=r"beauty\.exr: (not read|the archive was changed)"
    ):
        found[0].load()
    for content, reason in ((b"x" * 2000, "not a sound"), (b"\x1f\x8b" * 600, "is compressed; de")):
        put(path, content)
        with pytest.raises(DatasetError, match=rf"{path}: {reason}"):
            dataset.load()


def test_unusual_names_are_read(folder_url: str) -> None:
    names = {"a b#c?d%20&e+f.txt": b"1", "a/[*]:~'.txt": b"2"}
    root = remote_root(folder_url, **names)
    assert {name: read(root, name) for name in root.names()} == names
