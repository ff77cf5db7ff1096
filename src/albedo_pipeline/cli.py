"""`kedro run`, with one line instead of a traceback where the user can mend what is wrong."""

import re
import traceback

import click
import yaml
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError

from albedo_pipeline.errors import ProjectError, one_line

_KEDRO_WORDS = re.compile(r"Parameter '(\w+)': Failed to instantiate \w+ for parameter '\1': ")
_MISTAKES = (ValueError, MissingConfigException, yaml.YAMLError)
"""What Kedro raises of names that it does not know and of files that are no YAML."""


class Run(click.Command):
    """Kedro's own `run`; errors that name their file or key end it as click ends its own."""

    def invoke(self, ctx: click.Context) -> object:
        """Run, and turn the user's errors into one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            message = _message(error)
            if message is None:
                raise
            raise click.ClickException(message) from error


def _message(error: BaseException | None) -> str | None:
    """What the user is told of an error that names its file or key; None for any other."""
    if isinstance(error, ParameterValidationError):
        return _KEDRO_WORDS.sub(r"\1.", "; ".join(str(error).splitlines()[1:]).replace("- ", "", 1))
    if isinstance(error, ProjectError):
        return str(error)
    if isinstance(error, FileNotFoundError):  # some libraries give the name as the whole message
        file = error.filename or error
        return f"{file}: no such file; has the pipeline before this one run to its end?"
    if isinstance(error, _MISTAKES) and _is_kedros_own(error):
        return one_line(error)
    if not isinstance(error, DatasetError):
        return None
    if error.__cause__ is None:
        return one_line(error)
    # Kedro wraps what a dataset raises, once or twice; a wrong key of the catalog is a TypeError.
    if isinstance(error.__cause__, TypeError | ValueError | OSError):
        return _message(error.__cause__) or one_line(error)
    return _message(error.__cause__)


def _is_kedros_own(error: BaseException) -> bool:
    """Whether Kedro itself raised it, not the code that it runs."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals["__name__"].startswith("kedro.")


@click.group(name="albedo_pipeline")
def cli() -> None:
    """Commands of this project."""


cli.add_command(
    Run(
        name="run",
        callback=kedro_run.callback,
        params=kedro_run.params,
        help=kedro_run.help,
        context_settings=kedro_run.context_settings,
    )
)
