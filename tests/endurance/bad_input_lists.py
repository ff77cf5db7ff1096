"""The tables of lists and archives that are wrong: what they hold, and what the user is told."""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

from tests.endurance.bad_input_files import pair

OUTSIDE = "leaves the folder of the data"


@dataclass(frozen=True)
class ListCase:
    """A list that stops the run."""

    kind: str
    what: str
    name: str
    """File name of the list; its suffix selects the reader."""
    content: str
    message: str
    """Pattern of all that follows the list's path."""


LISTS = [
    ListCase("missing-column", "line with one name", "p.txt", "a.exr b.exr\n\n# c\nd.exr\n",
             r", line 4: 1 name\(s\), but line 1 has 2"),
    ListCase("extra-column", "line with a name more", "p.txt", "a.exr b.exr\nc.exr d.exr e.exr\n",
             r", line 2: 3 name\(s\), but line 1 has 2"),
    ListCase("many-columns", "line with four names", "p.txt", "a b c\na b c d\n",
             r", line 2: 4 name\(s\), but line 1 has 3"),
    ListCase("duplicate", "sample named twice", "p.txt", "s/a.exr b.exr\nc d\ns/a.png b.exr\n",
             r", line 3: sample 's/a' is already in line 1"),
    ListCase("open-quote", "quote that is not closed", "p.txt", 'a b\n"c d\n',
             r", line 2: a double quote is not closed, or encloses no name"),
    ListCase("empty", "list of no bytes", "p.txt", "", r": lists no samples"),
    ListCase("only-comments", "list of comments alone", "p.txt", "# a b\n\n",
             r": lists no samples"),
    ListCase("table-column-missing", "table without albedo", "p.csv", "beauty,mask\na,b\n",
             r": the column 'albedo' is missing"),
    ListCase("table-column-unknown", "table with a slip", "p.csv", "beauty,albdo\na,b\n",
             r": unknown column 'albdo'; did you mean 'albedo'\?; known are .*"),
    ListCase("table-short-row", "row with a cell less", "p.csv", "beauty,albedo\na,b\nc\n",
             r", line 3: 1 cell\(s\), but the header has 2"),
    ListCase("table-long-row", "row with a cell more", "p.csv", "beauty,albedo\na,b,c\n",
             r", line 2: 3 cell\(s\), but the header has 2"),
    ListCase("table-empty-cell", "row without albedo", "p.csv", "beauty,albedo\na,b\nc,\n",
             r", row 2: albedo is empty"),
    ListCase("table-duplicate", "sample in two rows", "p.csv", "beauty,albedo\na,b\na,c\n",
             r", row 2: sample 'a' is already in row 1"),
    ListCase("table-empty", "table of a header alone", "p.csv", "beauty,albedo\n",
             r": has no rows"),
    ListCase("table-nothing", "table of no bytes", "p.csv", "",
             r": the column 'beauty' is missing"),
]  # fmt: skip


@dataclass(frozen=True)
class Member:
    """A beauty in an archive."""

    kind: str
    what: str
    name: str
    type: bytes = tarfile.REGTYPE
    link: str = ""
    reason: str | None = None
    """Complete reason in the quarantine; None if the pair is used."""


MEMBERS = [
    Member("tar-plain", "member of an archive", "plain/beauty.exr"),
    Member("tar-dot", "member whose name begins with ./", "./dot/beauty.exr"),
    Member("tar-dotted", "member that leaves by ..", "../out/beauty.exr", reason=OUTSIDE),
    Member("tar-absolute", "member with an absolute name", "/out/beauty.exr", reason=OUTSIDE),
    Member("tar-symlink", "member that is a symbolic link", "soft/beauty.exr", tarfile.SYMTYPE,
           "../plain/beauty.exr", "is a link in the archive, expected a plain file"),
    Member("tar-hard-link", "member that is a hard link", "hard/beauty.exr", tarfile.LNKTYPE,
           "plain/beauty.exr", "is a link in the archive, expected a plain file"),
    Member("tar-device", "member that is a named pipe", "pipe/beauty.exr", tarfile.FIFOTYPE, "",
           "is a device in the archive, expected a plain file"),
]  # fmt: skip


def write_archive(folder: Path) -> Path:
    """An archive of all members, and the list of their pairs; gives the list."""
    images = folder / "images"
    images.mkdir(parents=True)
    _, albedo, mask = pair()(images)
    with tarfile.open(folder / "images.tar", "w") as archive:
        archive.add(folder / albedo, "albedo.exr")
        archive.add(folder / mask, "mask.exr")
        for member in MEMBERS:
            content = (images / "beauty.exr").read_bytes()
            info = tarfile.TarInfo(member.name)
            info.type, info.linkname = member.type, member.link
            info.size = len(content) if member.type == tarfile.REGTYPE else 0
            archive.addfile(info, io.BytesIO(content))
    lines = [f"{member.name} albedo.exr mask.exr\n" for member in MEMBERS]
    (folder / "pairs.txt").write_text("".join(lines), encoding="utf-8")
    return folder / "pairs.txt"
