"""The app, served on a thread."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from albedo_pipeline.app.run import new_app
from albedo_pipeline.app.server import address_of, listening, new_server, protected, token_of
from albedo_pipeline.params import AppParams, PredictParams

NO_EXPORT = Path("no/export")


@contextmanager
def served(
    folder: Path,
    params: AppParams,
    model: Path | None = None,
    trainings: dict[str, tuple[Path, Path]] | None = None,
) -> Iterator[str]:
    """Serve the app on a free port, and yield its address.

    Args:
        folder: where the app keeps its files.
        params: settings; the port does not count.
        model: the project's own export; None if it has none.
        trainings: as for `run_app`; None if none can be watched.
    """
    params = params.model_copy(update={"port": 0})
    app = new_app(model or NO_EXPORT, trainings or {}, params, PredictParams(device="cpu"), folder)
    token = token_of(params)
    with listening(params) as place:
        server = new_server(protected(app, params, token))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [place]})
        thread.start()
        try:
            yield address_of(params, place.getsockname()[1], token)
        finally:
            server.should_exit = True
            thread.join()
