"""Folders, tars and buckets: nothing outside is read, nothing that changes is trusted."""

import logging
import os
import pickle
import tarfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from unicodedata import normalize

import pytest

from albedo_pipeline.errors import BadSampleError, ProjectError, TransientReadError
from albedo_pipeline.readers.roots import Root, open_root
from albedo_pipeline.runtime.storage import is_remote, location, make_folder, upload

FILES = {"a/1.bin": b"one", "a/2.bin": bytes(range(256)) * 4000, "b c/é.bin": b"two", "top": b"0"}


def packed(path: Path, files: dict[str, bytes], extra: list[tarfile.TarInfo] | None = None) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, BytesIO(content))
        for info in extra or []:
            archive.addfile(info)
    return path


@pytest.fixture(params=["folder", "tar", "bucket", "tar in a bucket"])
def new_root(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[dict[str, bytes]], Root]:
    """Function that stores files in a new root of each kind."""
    if request.param == "tar":
        return lambda files: open_root(packed(tmp_path / "data.tar", files))
    if request.param == "tar in a bucket":
        archive = location(request.getfixturevalue("folder_url")) / "data.tar"
        return lambda files: (
            upload(packed(tmp_path / "data.tar", files), archive) or open_root(archive)
        )
    place = tmp_path / "data"
    if request.param == "bucket":
        place = location(request.getfixturevalue("folder_url"))

    def store(files: dict[str, bytes]) -> Root:
        for name, content in files.items():
            make_folder((place / name).parent)
            (place / name).write_bytes(content)
        return open_root(place)

    return store


@pytest.fixture
def root(new_root: Callable[[dict[str, bytes]], Root]) -> Root:
    """The same files in each kind of root."""
    return new_root(FILES)


def read(root: Root, name: str) -> bytes:
    with root.opened(name) as path:
        return path.read_bytes()


def test_names_and_contents(root: Root) -> None:
    assert root.names() == sorted(FILES)
    assert {name: read(root, name) for name in FILES} == FILES
    assert read(root, "./a//1.bin") == b"one"


def test_many_threads_read_at_once(root: Root) -> None:
    names = list(FILES) * (4 if is_remote(root.path) else 20)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda name: read(root, name), names)) == [FILES[n] for n in names]


def test_the_suffix_stays_and_nothing_is_left_behind(root: Root) -> None:
    with root.opened("a/1.bin") as path:
        assert path.suffix == ".bin"
    assert path.exists() == (path.parent.name == "a")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../data/a/1.bin", "leaves the folder of the data"),
        ("a/../../x", "leaves the folder of the data"),
        ("/etc/passwd", "leaves the folder of the data"),
        ("a/9.bin", "no such file"),
    ],
)
def test_refused_names(root: Root, name: str, reason: str) -> None:
    with pytest.raises(BadSampleError) as raised:
        read(root, name)
    assert str(raised.value) == f"{name}: {reason}"
    assert isinstance(root.signature(name), str)


def test_what_is_no_file_is_refused_by_its_kind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "dangling").symlink_to("gone")
    (tmp_path / "circle").symlink_to("circle")
    root = open_root(tmp_path)
    reasons = {
        "folder": "a folder, expected a file",
        "pipe": "a named pipe, expected a file",
        "dangling": "a link to gone, which does not exist",
        "circle": "links that lead in a circle",
        "x" * 300: "File name too long",
    }
    for name, reason in reasons.items():
        with pytest.raises(BadSampleError, match=f"^{name}: {reason}$"):
            read(root, name)
        assert isinstance(root.signature(name), str)


def test_signatures(root: Root) -> None:
    assert root.signature("a/1.bin") == root.signature("a/1.bin") != root.signature("a/2.bin")
    assert root.signature("nothing") == root.signature("no\0thing") == "missing"


def test_links_out_of_a_folder(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    inside, outside = tmp_path / "inside", tmp_path / "outside"
    for folder in (inside, outside):
        folder.mkdir()
        (folder / "file").write_text(folder.name)
    (inside / "link").symlink_to(outside / "file")
    (inside / "own").symlink_to(inside / "file")
    (inside / "folder").symlink_to(outside, target_is_directory=True)
    root = open_root(inside)
    with caplog.at_level(logging.WARNING):
        assert root.names() == ["file", "link", "own"]
    assert "1 folder(s) are links; not searched" in caplog.text
    assert read(root, "own") == b"inside"
    for name in ("link", "folder/file"):
        with pytest.raises(BadSampleError, match=f"^{name}: leaves the folder of the data$"):
            read(root, name)


def test_a_root_may_itself_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert read(open_root(tmp_path / "link"), "file") == b"x"


def member(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


def test_unsafe_members_are_not_listed_and_refused_by_name(tmp_path: Path) -> None:
    extra = [
        member("soft", tarfile.SYMTYPE, "/etc/passwd"),
        member("hard", tarfile.LNKTYPE, "fine"),
        member("device", tarfile.CHRTYPE),
        member("pipe", tarfile.FIFOTYPE),
        member("../out", tarfile.REGTYPE),
        member("/abs", tarfile.REGTYPE),
        member("sparse", tarfile.GNUTYPE_SPARSE),
        member("folder", tarfile.DIRTYPE),
    ]
    root = open_root(packed(tmp_path / "x.tar", {"fine": b"1"}, extra))
    assert root.names() == ["fine"]
    reasons = {
        "soft": "is a link in the archive",
        "hard": "is a link in the archive",
        "device": "is a device in the archive",
        "pipe": "is a device in the archive",
        "../out": "leaves the folder",
        "/abs": "leaves the folder",
        "sparse": "is sparse in the archive",
        "folder": "no such file",
    }
    for name, reason in reasons.items():
        with pytest.raises(BadSampleError, match=rf"^{name}: {reason}"):
            read(root, name)


def test_of_equal_names_the_last_counts(tmp_path: Path) -> None:
    path = packed(tmp_path / "x.tar", {"./a": b"old"})
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("a")
        info.size = 3
        archive.addfile(info, BytesIO(b"new"))
    assert read(open_root(path), "a") == b"new"


@pytest.mark.parametrize("mode", ["gz", "bz2", "xz"])
def test_compressed_tars_are_refused(tmp_path: Path, mode: str) -> None:
    for name in (f"x.tar.{mode}", "y.tar"):
        with tarfile.open(tmp_path / name, f"w:{mode}"):
            pass
        with pytest.raises(ProjectError, match=rf"{name}: is compressed; decompress it"):
            open_root(tmp_path / name)


def test_missing_and_strange_roots(tmp_path: Path) -> None:
    with pytest.raises(ProjectError, match=r"none: no such folder or \.tar$"):
        open_root(tmp_path / "none")
    for name in ("x.txt", "x.tar"):
        (tmp_path / name).write_text("text " * 400)
        with pytest.raises(ProjectError, match=rf"{name}: (neither a folder|not a sound \.tar)"):
            open_root(tmp_path / name)


@pytest.mark.parametrize("how", ["cut", "header"])
def test_a_damaged_tar_is_named(tmp_path: Path, how: str) -> None:
    path = packed(tmp_path / "x.tar", {f"{i}": bytes(1000) for i in range(4)})
    content = bytearray(path.read_bytes())
    if how == "cut":
        content = content[:2000]
    else:
        content[3 * 1024 + 512 : 3 * 1024 + 530] = b"\xff" * 18
        content[1536 * 2 : 1536 * 2 + 20] = b"\xff" * 20
    path.write_bytes(content)
    with pytest.raises(ProjectError, match=r"x\.tar: not a sound \.tar \("):
        open_root(path)


@pytest.mark.parametrize("trouble", [None, ValueError("damaged")])
def test_a_file_that_is_touched_while_it_is_read(tmp_path: Path, trouble: Exception | None) -> None:
    (tmp_path / "file").write_text("x")

    def touch() -> None:
        with open_root(tmp_path).opened("file") as path:
            path.write_text("xy")
            if trouble:  # of which this is the reason
                raise trouble

    with pytest.raises(BadSampleError, match=r"^file: changed while it was read$"):
        touch()


def test_a_file_that_a_thread_rewrites(tmp_path: Path) -> None:
    path, stop = tmp_path / "file", threading.Event()
    path.write_bytes(bytes(1000))

    def rewrite() -> None:
        for i in range(1, 10**9):
            path.write_bytes(bytes(1000))
            os.utime(path, ns=(i, i))
            if stop.is_set():
                return

    thread = threading.Thread(target=rewrite)
    thread.start()
    root, seen = open_root(tmp_path), set()
    try:
        for _ in range(200):
            try:
                with root.opened("file") as opened, opened.open("rb") as file:
                    stop.wait(0.001)
                    seen.add(len(file.read()))
            except BadSampleError as error:
                seen.add(str(error))
    finally:
        stop.set()
        thread.join()
    assert "file: changed while it was read" in seen


def test_a_tar_that_changes(tmp_path: Path) -> None:
    root = open_root(packed(tmp_path / "x.tar", {"a": b"1"}))
    packed(tmp_path / "x.tar", {"a": b"1", "b": b"2"})
    with pytest.raises(BadSampleError, match=r"^a: the archive was changed after it was listed$"):
        read(root, "a")


def test_members_that_all_bear_one_time_count_by_the_archive(tmp_path: Path) -> None:
    path, signatures = tmp_path / "fixed.tar", []
    for content in (b"one", b"two"):
        root = open_root(packed(path, {"a": content, "b": content}))
        signatures.append(root.signature("a"))
    assert signatures[0] != signatures[1]


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_a_name_finds_its_file_in_the_other_unicode_form(
    new_root: Callable[[dict[str, bytes]], Root], stored: str
) -> None:
    composed = "Müller/é 1.bin"
    root = new_root({normalize(stored, composed): b"one"})
    spellings = [normalize(form, composed) for form in ("NFC", "NFD")]
    assert [read(root, spelling) for spelling in spellings] == [b"one", b"one"]
    assert len({root.signature(spelling) for spelling in spellings}) == 1
    with pytest.raises(BadSampleError, match=r"^Müller/è 1\.bin: no such file$"):
        read(root, "Müller/è 1.bin")
    assert root.signature("Müller/è 1.bin") == "missing"


def test_an_exact_name_comes_before_the_other_unicode_form(tmp_path: Path) -> None:
    forms = {form: normalize(form, "é.bin") for form in ("NFC", "NFD")}
    for form, name in forms.items():
        (tmp_path / name).write_text(form)
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("the file system does not tell the two forms apart")
    root = open_root(tmp_path)
    assert {form: read(root, name) for form, name in forms.items()} == {
        "NFC": b"NFC",
        "NFD": b"NFD",
    }


def test_a_link_out_of_the_folder_is_refused_in_the_other_form_too(tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "inside" / normalize("NFD", "é")).symlink_to(tmp_path / "secret")
    root = open_root(tmp_path / "inside")
    name = normalize("NFC", "é")
    with pytest.raises(BadSampleError, match=f"^{name}: leaves the folder of the data$"):
        read(root, name)
    assert root.signature(name) == "outside"


def test_a_copy_for_another_process_is_small_and_reads_the_same(
    new_root: Callable[[dict[str, bytes]], Root],
) -> None:
    root = new_root({f"{number:04}": b"%d" % number for number in range(300)})
    pickled = pickle.dumps(root)
    assert len(pickled) < 1500  # of a bucket, its path holds the settings of the store
    copy = pickle.loads(pickled)  # noqa: S301
    for name in ("0000", "0299"):
        with root.opened(name) as one, copy.opened(name) as other:
            assert one.read_bytes() == other.read_bytes() == b"%d" % int(name)
        assert copy.signature(name) == root.signature(name)


def test_a_copy_of_an_archive_that_was_changed_reads_nothing(tmp_path: Path) -> None:
    pickled = pickle.dumps(open_root(packed(tmp_path / "data.tar", FILES)))
    packed(tmp_path / "data.tar", FILES | {"more": b"1"})
    copy = pickle.loads(pickled)  # noqa: S301
    with (
        pytest.raises(TransientReadError, match="top: the archive was changed"),
        copy.opened("top"),
    ):
        pass
