"""Names of files in a root: their Unicode form, which are refused, and which are passed over."""

import logging
import posixpath
import unicodedata
from pathlib import Path

from albedo_pipeline.errors import BadSampleError
from albedo_pipeline.runtime.companions import EXAMPLES

logger = logging.getLogger(__name__)


def nfc(name: str) -> str:
    """The name in Unicode's composed form, in which two spellings of one name are equal.

    macOS often stores `é` as `e` with an accent after it (NFD), other systems as one character.
    """
    return unicodedata.normalize("NFC", name)


def check_name(name: str) -> None:
    """Raise BadSampleError if a name is absolute, or leaves the root by `..`."""
    if "\0" in name:
        raise BadSampleError(f"{name!r}: not a file name")
    normal = posixpath.normpath(name)
    if posixpath.isabs(name) or normal == ".." or normal.startswith("../"):
        raise BadSampleError(f"{name}: leaves the folder of the data")


def log_companions(path: Path, companions: int) -> int:
    """Log the number of companion files that were passed over, and return it."""
    if companions:
        logger.info("%s: passed over %d companion file(s) (%s)", path, companions, EXAMPLES)
    return companions
