"""The app from its settings: opens the model, builds the page and serves it."""

import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.models.albedo_model import described, project_model_name
from albedo_pipeline.params import AppParams, PredictParams
from albedo_pipeline.params.base import BUNDLED

if TYPE_CHECKING:
    from fastapi import FastAPI


def run_app(
    project_model: Path,
    trainings: dict[str, tuple[Path, Path]],
    params: AppParams,
    predict: PredictParams,
) -> None:
    """Serve the app until it is stopped; the files of its users are removed then.

    Args:
        project_model: folder of the project's own export; it need not exist.
        trainings: folders of the checkpoints and of the TensorBoard runs of each training that
            can be watched, by the name of its pipeline; they need not exist.
        params: settings of the app.
        predict: settings of `predict`, for all that a user cannot choose.

    Raises:
        ProjectError: if gradio is not installed, or the address cannot be used.
    """
    with TemporaryDirectory(prefix="albedo-app-") as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        app = new_app(project_model, trainings, params, predict, Path(folder))
        from albedo_pipeline.app.server import serve

        serve(app, params)


def new_app(
    project_model: Path,
    trainings: dict[str, tuple[Path, Path]],
    params: AppParams,
    predict: PredictParams,
    folder: Path,
) -> "FastAPI":
    """The app as a web application.

    Args:
        project_model: folder of the project's own export; it need not exist.
        trainings: as for `run_app`.
        params: settings of the app.
        predict: settings of `predict`.
        folder: where the files of the users are kept.

    Raises:
        ProjectError: if gradio is not installed.
    """
    if not find_spec("gradio"):
        raise ProjectError("app: needs gradio; run pip install 'albedo_pipeline[app]'")
    from albedo_pipeline.app.page import mounted, new_page
    from albedo_pipeline.app.predict_tab import PredictTab
    from albedo_pipeline.app.prediction import Predictor
    from albedo_pipeline.app.sessions import Sessions

    sessions = Sessions(folder / "results")
    settings = predict.model_copy(update={"max_megapixels": params.max_megapixels})
    models = offered_models(project_model, params)
    tab = PredictTab(Predictor(settings), sessions, models, params.choose_model)
    return mounted(new_page(tab, _more_tabs(trainings, params), sessions), params)


def _more_tabs(
    trainings: dict[str, tuple[Path, Path]], params: AppParams
) -> dict[str, Callable[[], None]]:
    if not params.training or not trainings:
        return {}
    from albedo_pipeline.app.training_status import Training, TrainingWatch
    from albedo_pipeline.app.training_tab import TrainingTab

    watches = {name: TrainingWatch(Training(name, *folders)) for name, folders in trainings.items()}
    return {"Training": TrainingTab(watches).build}


def offered_models(project_model: Path, params: AppParams) -> list[tuple[str, str]]:
    """Label and name of the models that can be chosen; the first one is chosen at first."""
    first = params.model or project_model_name(project_model)
    names = [first]
    if params.choose_model:
        names += [str(project_model)] if project_model.is_dir() else []
        names.append(BUNDLED)
    labels = {str(project_model): "the project's own export"}
    return [(labels.get(name, described(name)), name) for name in dict.fromkeys(names)]
