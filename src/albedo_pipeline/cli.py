"""`kedro run`, with one line instead of a traceback where the user can mend what is wrong."""

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError

from albedo_pipeline.errors import ProjectError


class Run(click.Command):
    """Kedro's own `run`; errors that name their file or key end it as click ends its own."""

    def invoke(self, ctx: click.Context) -> object:
        """Run, and turn the user's errors into one line and exit code 1."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            mendable = _mendable(error)
            if mendable is None:
                raise
            raise click.ClickException(str(mendable)) from error


def _mendable(error: BaseException | None) -> BaseException | None:
    """The error that the user can mend, under those that Kedro wrapped it in."""
    while error is not None:
        if isinstance(error, ProjectError | ParameterValidationError | FileNotFoundError):
            return error
        error = error.__cause__ if isinstance(error, DatasetError) else None
    return None


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
