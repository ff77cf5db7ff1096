"""`kedro run`, with one line instead of a traceback for errors that the user can correct, and
`kedro settings`, which lists what can be set."""

import re
import sys
import textwrap
import traceback

import click
import yaml
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.type_extractor import TypeExtractor

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params.listing import Setting, settings_of
from albedo_pipeline.pipeline_registry import register_pipelines
from albedo_pipeline.runtime.console import quiet_libraries
from albedo_pipeline.runtime.progress import stop_bars

_KEDRO_PREFIX = re.compile(
    r"Parameter '(\w+)': Failed to instantiate \w+ for parameter '\1': (: )?"
)
"""What Kedro writes before an error of a parameter model; ": " follows if the error names no key of
the model."""
_USER_ERRORS = (ValueError, MissingConfigException, yaml.YAMLError)
"""What Kedro raises for unknown names and for configuration files that are not YAML."""


class RunCommand(click.Command):
    """Kedro's `run` command, which ends with one line if the user can correct the error."""

    def invoke(self, ctx: click.Context) -> object:
        """Run the command, and turn errors of the user into one line and exit code 1."""
        if sys.flags.optimize > 1:
            raise click.ClickException(
                "PYTHONOPTIMIZE=2: transformers cannot be imported without docstrings; unset it, "
                "or set it to 1"
            )
        quiet_libraries()
        try:
            return super().invoke(ctx)
        except Exception as error:
            message = _message(error)
            if message is None:
                raise
            raise click.ClickException(message) from error
        finally:
            stop_bars()  # an error line or a traceback follows


def _message(error: BaseException | None) -> str | None:
    """The line that the user sees if the error names its file or key; None for any other error."""
    if isinstance(error, ParameterValidationError):
        lines = "; ".join(str(error).splitlines()[1:]).replace("- ", "", 1)
        return _KEDRO_PREFIX.sub(lambda match: match[1] + (match[2] or "."), lines)
    if isinstance(error, ProjectError):
        return str(error)
    if isinstance(error, FileNotFoundError):  # some libraries set only the message
        file = error.filename or error
        return f"{file}: no such file; check the path, or first run the pipeline that writes it"
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}"
    if isinstance(error, _USER_ERRORS) and _raised_by_kedro(error):
        return one_line(error)
    if not isinstance(error, DatasetError):
        return None
    if error.__cause__ is None:
        return one_line(error)
    # Kedro wraps an error of a dataset once or twice; a wrong key in the catalog is a TypeError.
    if isinstance(error.__cause__, TypeError | ValueError | OSError):
        return _message(error.__cause__) or one_line(error)
    return _message(error.__cause__)


def _raised_by_kedro(error: BaseException) -> bool:
    """Whether Kedro itself raised the error, and not code that Kedro runs."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals["__name__"].startswith("kedro.")


@click.group(name="albedo_pipeline")
def cli() -> None:
    """Command line of the project."""


cli.add_command(
    RunCommand(
        name="run",
        callback=kedro_run.callback,
        params=kedro_run.params,
        help=kedro_run.help,
        context_settings=kedro_run.context_settings,
    )
)


@cli.command()
@click.argument("pipeline", required=False)
def settings(pipeline: str | None) -> None:
    """List every setting of PIPELINE, with its range, default and meaning.

    Without PIPELINE, the settings of all pipelines are listed. The values in use are in `conf/`.
    """
    pipelines = register_pipelines()
    if pipeline is not None and pipeline not in pipelines:
        raise click.BadParameter(
            f"no such pipeline (got {pipeline!r}); known are {', '.join(pipelines)}",
            param_hint="PIPELINE",
        )
    chosen = pipelines if pipeline is None else {pipeline: pipelines[pipeline]}
    models = TypeExtractor(chosen).extract_types_from_pipelines()
    for path, model in models.items():
        for setting in settings_of(model, path):
            click.echo(_described(setting))


def _described(setting: Setting) -> str:
    """A setting as two or more lines: its key with range and default, then what it does."""
    head = f"{setting.key}  ({setting.allowed}; default: {setting.default})"
    if setting.default == "required":
        head = f"{setting.key}  ({setting.allowed}; required)"
    margin = " " * 4
    return "\n".join(
        [
            head,
            *textwrap.wrap(
                setting.description, 96, initial_indent=margin, subsequent_indent=margin
            ),
        ]
    )
