"""The project's errors: one that stops the run, and one that rejects a single sample."""


class ProjectError(ValueError):
    """Stops the run. Its message is one line that names the file or the key to correct."""


class BadSampleError(ValueError):
    """One sample cannot be used. Its message is the reason that the quarantine table shows."""


class TransientReadError(BadSampleError):
    """One sample could not be read this time; the next run tries again."""


class UnreachableError(ProjectError):
    """The store does not give a file, which may be undamaged. Run again when the store answers."""


class NotFiniteError(ProjectError):
    """A model gave an image that is not finite."""


def one_line(error: BaseException) -> str:
    """The message of an error of another library, without line breaks."""
    return " ".join(str(error).split())


def printable(text: str) -> str:
    """Text that UTF-8 can encode: bytes of file names that are not UTF-8 become \\udcxx."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
