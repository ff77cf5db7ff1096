"""Files on a disk and in object storage."""

from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.runtime import storage
from albedo_pipeline.runtime.atomic_files import write_text
from albedo_pipeline.runtime.storage import beside, is_remote, location, read_ranges


def test_a_path_and_a_file_url_are_plain_paths() -> None:
    assert location("data/05") == Path("data/05")
    assert location("file:///data/a%20b") == Path("/data/a b")
    assert type(location("file:///data")) is type(Path())
    assert location(Path("data")) == Path("data")


def test_an_unknown_protocol_is_refused() -> None:
    message = "ftp://host/a: a URL begins with file://, s3://, gs://, az://"
    with pytest.raises(ProjectError, match=message):
        location("ftp://host/a")


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    with pytest.raises(ProjectError, match=r"^s3://…@bucket: remove the password") as error:
        location("s3://name:secret@bucket/a")
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("file", "name", "expected"),
    [
        ("s3://b/lists/a.txt", ".", "s3://b/lists"),
        ("s3://b/lists/a.txt", "../images", "s3://b/images"),
        ("s3://b/a.txt", "images.tar", "s3://b/images.tar"),
        ("s3://b/a.txt", "/data", "/data"),
        ("data/a.txt", "s3://b/images", "s3://b/images"),
        ("data/a.txt", "images", "data/images"),
    ],
)
def test_what_a_name_in_a_file_means(file: str, name: str, expected: str) -> None:
    pytest.importorskip("s3fs")
    assert str(beside(location(file), name)) == expected


def test_a_name_that_leaves_the_bucket_is_refused() -> None:
    pytest.importorskip("s3fs")
    for name in ("..", "../../other"):
        with pytest.raises(ProjectError, match=r"beside s3://b/.*: leaves the bucket b$"):
            beside(location("s3://b/pairs.txt"), name)


def test_a_missing_package_is_named() -> None:
    with pytest.raises(
        ProjectError, match=r"gs://b/a: .* pip install 'albedo_pipeline\[s3\]' gcsf"
    ):
        location("gs://b/a")


def test_a_remote_file_is_written_read_in_parts_and_removed(folder_url: str) -> None:
    path = location(folder_url) / "a" / "b.txt"
    assert is_remote(path)
    with pytest.raises(FileNotFoundError):
        storage.read(path)
    assert not storage.is_file(path)
    write_text(path, "0123456789")
    assert storage.is_file(path)
    assert not storage.is_file(path.parent)
    assert storage.folders_in(path.parent.parent) == [path.parent]
    assert storage.files_in(path.parent, "b") == [path]
    assert storage.read(path) == b"0123456789"
    assert read_ranges(path, [(2, 3), (8, 2)]) == [b"234", b"89"]
    storage.remove([path, path.with_name("none")])
    assert not storage.is_file(path)
    assert storage.folders_in(path.parent) == []


def test_a_file_is_created_once(folder_url: str) -> None:
    path = location(folder_url) / "lease"
    assert storage.create(path, b"first")
    assert not storage.create(path, b"second")
    assert storage.read(path) == b"first"


def test_an_error_of_the_store_names_the_file(s3_server: str) -> None:
    path = location("s3://there-is-no-such-bucket/a")
    with pytest.raises(OSError, match=r"there-is-no-such-bucket/a"):
        storage.put(path, b"content")
