"""The two ways in which work fails: it stops with one line, or one sample is set aside."""


class ProjectError(ValueError):
    """Stops the run. Its message is one line that names the file or the key to mend."""


class BadSampleError(ValueError):
    """One sample cannot be used. Its message is the reason that goes into the quarantine."""


class TransientReadError(BadSampleError):
    """One sample could not be read this time; the next run tries it again."""


def one_line(error: BaseException) -> str:
    """What another library's error says, without its line breaks."""
    return " ".join(str(error).split())
