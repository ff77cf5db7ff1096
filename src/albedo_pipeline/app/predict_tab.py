"""The tab that predicts: what the user sees of it, and what happens when a button is pressed."""

import html
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from albedo_pipeline.app.prediction import (
    MOST_MEMBERS,
    Cancelled,
    PredictionRequest,
    Predictor,
)
from albedo_pipeline.app.sessions import Sessions
from albedo_pipeline.app.views import VIEWS, Light, Preview, picture
from albedo_pipeline.artifacts.prediction_job import UserImage
from albedo_pipeline.artifacts.user_results import UserPrediction, unusable_name, write_results
from albedo_pipeline.errors import BadSampleError, ProjectError, one_line, printable
from albedo_pipeline.inference.user_images import output_names
from albedo_pipeline.params.predict import OutputParams
from albedo_pipeline.reporting.user_page import image_details, image_warnings

logger = logging.getLogger(__name__)
MOST_FILES = 20
"""Number of images of one prediction; their pictures stay in memory while the page is open."""
_FILES = OutputParams(exr="linear", png="srgb", png_bits=16)
_DOWNLOADS = {
    "exr": "Albedo, EXR (linear)",
    "png": "Albedo, PNG (sRGB, 16 bits)",
    "uncertainty": "Uncertainty, EXR",
}
"""Labels of the buttons, by the kind of the file."""
_KEPT_SECONDS = 3600
"""How long the results of a page are kept after it was last used."""


@dataclass(frozen=True)
class Result:
    """The prediction of one image, as the page keeps it."""

    name: str
    preview: Preview
    files: dict[str, str]
    """Path of each file, by its kind."""
    details: str


@dataclass(frozen=True)
class Panel:
    """The parts of the tab that show results, in the order in which functions return them."""

    results: gr.State
    image: gr.Dropdown
    left: gr.Dropdown
    right: gr.Dropdown
    slider: gr.ImageSlider
    details: gr.HTML
    messages: gr.HTML
    downloads: list[gr.DownloadButton]

    @property
    def parts(self) -> list[Any]:
        """All of them."""
        shown = [self.results, self.image, self.left, self.right, self.slider]
        return [*shown, self.details, self.messages, *self.downloads]


@dataclass(frozen=True)
class PredictTab:
    """Predicts for all pages."""

    predictor: Predictor
    sessions: Sessions
    models: list[tuple[str, str]]
    """Label and name of the models that can be chosen; the first one is chosen at first."""
    any_model: bool
    """Whether users may also name a folder or a Hub id."""

    def build(self) -> None:
        """Add the tab's parts to the page that is being built, and connect them."""
        with gr.Row(equal_height=False):
            with gr.Column(scale=2, min_width=290):
                files = gr.File(label="Images", file_count="multiple", height=150, elem_id="files")
                hint = "Or type a folder, or a Hub id" if self.any_model else None
                model = gr.Dropdown(
                    self.models,
                    value=self.models[0][1],
                    label="Model",
                    info=hint,
                    allow_custom_value=self.any_model,
                    visible=self.any_model or len(self.models) > 1,
                    elem_id="model",
                )
                side = gr.Number(
                    0,
                    label="Longer side, pixels",
                    info="At which the image is predicted; 0 lets the model decide",
                    precision=0,
                    minimum=0,
                    maximum=16384,
                    elem_id="side",
                )
                members = gr.Slider(
                    1,
                    MOST_MEMBERS,
                    1,
                    step=1,
                    label="Members",
                    info="Predictions that are combined; from 2 on there is an uncertainty",
                    elem_id="members",
                )
                with gr.Row():
                    start = gr.Button("Predict", variant="primary", elem_id="predict", min_width=90)
                    cancel = gr.Button("Cancel", elem_id="cancel", min_width=90)
            with gr.Column(scale=5, min_width=320):
                panel, light = _panel()
        self._connect(panel, light, [files, model, side, members], start, cancel)

    def _connect(
        self,
        panel: Panel,
        light: list[Any],
        choices: list[Any],
        start: gr.Button,
        cancel: gr.Button,
    ) -> None:
        run = start.click(
            self.predict,
            [*choices, panel.left, panel.right, *light],
            panel.parts,
            show_progress_on=[panel.slider],
            concurrency_limit=1,
            api_visibility="private",
        )
        quick: dict[str, Any] = {
            "queue": False,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        cancel.click(self.cancel, None, panel.messages, cancels=[run], **quick)
        shown = [panel.slider, panel.details, *panel.downloads]
        look = [panel.results, panel.image, panel.left, panel.right, *light]
        for part in (panel.image, panel.left, panel.right, *light):
            # `input` only follows the user, not what a prediction sets.
            part.input(show, look, shown, trigger_mode="always_last", **quick)

    def cancel(self, request: gr.Request) -> gr.HTML:
        """End the prediction of the page that asks."""
        self.sessions.cancel(str(request.session_hash))
        return _messages(["Cancelled."])

    def predict(
        self,
        files: list[str] | None,
        model: str,
        side: float | None,
        members: float,
        left: str,
        right: str,
        colour: str,
        stops: float,
        request: gr.Request,
        progress: gr.Progress = gr.Progress(),  # noqa: B008 - how gradio passes it
    ) -> Iterator[list[Any]]:
        """Yield what the panel shows after each image; a bad image is one message."""
        paths = [Path(name) for name in files or []]
        refusal = self._refusal(paths, model, side)
        if refusal:
            yield [*[gr.skip()] * 6, _messages([refusal]), *[gr.skip()] * len(_DOWNLOADS)]
            return
        wanted = PredictionRequest(model, int(side or 0) or None, int(members))
        event, folder = self.sessions.start(str(request.session_hash))
        results: list[Result] = []
        messages: list[str] = []
        yield [*[gr.skip()] * 6, _messages([]), *[gr.skip()] * len(_DOWNLOADS)]
        names = [printable(path.name) for path in paths]
        images = zip(names, paths, output_names(names), strict=True)
        for number, (name, path, output) in enumerate(images, 1):
            place = f"{name}, {number} of {len(paths)}" if len(paths) > 1 else name
            progress(0.0, desc=f"{place}: opening")

            def report(share: float, place: str = place) -> None:
                progress(share, desc=place)

            image = UserImage(name, path, output)
            try:
                results.append(self._result(image, wanted, folder, event.is_set, report))
            except Cancelled:
                return
            except ProjectError as error:  # the model, which is the same for all
                messages.append(one_line(error))
                break
            except OSError as error:  # such as a full disk
                logger.warning("app: %s", one_line(error))
                messages.append(f"{name}: its results were not written ({error.strerror})")
            except BadSampleError as error:
                messages.append(f"{name}: {one_line(error)}")
            yield _panel_values(results, messages, left, right, colour, stops)
        yield _panel_values(results, messages, left, right, colour, stops)

    def _refusal(self, paths: list[Path], model: str, side: float | None) -> str:
        """Why nothing is predicted; empty if it is."""
        if not paths:
            return "Drop an image first."
        if len(paths) > MOST_FILES:
            return f"{len(paths)} images, but at most {MOST_FILES} are predicted at a time."
        if not self.any_model and model not in [name for _, name in self.models]:
            return f"{model}: not one of the models of this app."
        if not model or not model.strip():
            return "Choose a model first."
        if side and not 8 <= side <= 16384:
            return f"Longer side: {side:g}, but it must be from 8 to 16384 pixels, or 0."
        return ""

    def _result(
        self,
        image: UserImage,
        wanted: PredictionRequest,
        folder: Path,
        is_cancelled: Callable[[], bool],
        report: Callable[[float], None],
    ) -> Result:
        reason = unusable_name(image.output)
        if reason:
            raise BadSampleError(reason)
        prediction = self.predictor.predict(image, wanted, is_cancelled, report)
        if is_cancelled():  # the folder may be gone
            raise Cancelled("cancelled")
        files = write_results(folder, image.output, prediction, _FILES)
        paths = {kind: str(folder / files[kind]) for kind in _DOWNLOADS if kind in files}
        return Result(image.name, Preview.of(prediction), paths, _details(prediction))


def _panel() -> tuple[Panel, list[Any]]:
    """The right side of the tab, and the parts that set the light."""
    results = gr.State([], time_to_live=_KEPT_SECONDS)
    messages = gr.HTML(elem_id="messages", visible=False)
    image = gr.Dropdown([], label="Image", visible=False, elem_id="image")
    slider = gr.ImageSlider(
        label="Comparison",
        show_label=False,
        interactive=False,
        format="png",
        buttons=["fullscreen"],
        elem_id="comparison",
        max_height=640,
    )
    with gr.Row():
        views = VIEWS[:-1]
        left = gr.Dropdown(list(views), value="Beauty", label="Left", elem_id="left", min_width=130)
        right = gr.Dropdown(
            list(views), value="Albedo", label="Right", elem_id="right", min_width=130
        )
    with gr.Row():
        colour = gr.ColorPicker(
            "#ffd6a0", label="Light of the relit albedo", elem_id="colour", min_width=130
        )
        stops = gr.Slider(
            -3, 3, 0, step=0.1, label="Its intensity, stops", elem_id="stops", min_width=130
        )
    details = gr.HTML(elem_id="details")
    with gr.Row():
        downloads = [
            gr.DownloadButton(label, visible=False, size="md", elem_id=f"download-{kind}")
            for kind, label in _DOWNLOADS.items()
        ]
    panel = Panel(results, image, left, right, slider, details, messages, downloads)
    return panel, [colour, stops]


def show(
    results: list[Result], image: int | None, left: Any, right: Any, colour: str, stops: float
) -> list[Any]:
    """What the panel shows of one result: the two pictures, the details, and the files."""
    if not results or image is None or image >= len(results):
        return [gr.skip()] * (2 + len(_DOWNLOADS))
    result, light = results[image], Light.picked(colour, stops)
    pictures = tuple(
        picture(result.preview, view if view in result.preview.views else "Albedo", light)
        for view in (left, right)
    )
    buttons = [
        gr.update(value=result.files.get(kind), visible=kind in result.files) for kind in _DOWNLOADS
    ]
    return [pictures, result.details, *buttons]


def _panel_values(
    results: list[Result], messages: list[str], left: str, right: str, colour: str, stops: float
) -> list[Any]:
    """Values of all parts of the panel; the newest result is shown."""
    if not results:
        hidden = [gr.update(visible=False)] * len(_DOWNLOADS)
        sides = [gr.skip(), gr.skip()]
        return [[], gr.update(visible=False), *sides, None, "", _messages(messages), *hidden]
    newest = len(results) - 1
    views = results[newest].preview.views
    left, right = (view if view in views else "Albedo" for view in (left, right))
    pictures, details, *buttons = show(results, newest, left, right, colour, stops)
    names = [(result.name, number) for number, result in enumerate(results)]
    choice = gr.update(choices=names, value=newest, visible=len(results) > 1)
    sides = [gr.update(choices=list(views), value=view) for view in (left, right)]
    return [results, choice, *sides, pictures, details, _messages(messages), *buttons]


def _details(prediction: UserPrediction) -> str:
    record = prediction.record
    warnings = "".join(
        f'<p class="remark">{html.escape(text)}</p>' for text in image_warnings(record)
    )
    return f"<p>{html.escape(image_details(record))}</p>{warnings}"


def _messages(texts: list[str]) -> gr.HTML:
    lines = [f'<p class="remark" role="alert">{html.escape(text)}</p>' for text in texts]
    return gr.HTML("".join(lines), visible=bool(texts))
