"""The tab that shows the running training, and pauses it."""

import html
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import gradio as gr

from albedo_pipeline.app.training_status import Status, TrainingWatch
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.metrics.registry import quantities

_SECONDS = 4
"""Time between two looks at the files of the training."""
_LABELS = {"train": "Denoiser", "autoencoder": "Autoencoder"}
_COMMAND = "kedro run --pipelines {}"


@dataclass
class TrainingTab:
    """Shows one of the trainings to all pages."""

    watches: dict[str, TrainingWatch]
    """What watches each training, by the name of its pipeline."""
    _asked: dict[str, int] = field(default_factory=dict)
    """Process of each training that was asked to pause."""

    def build(self) -> None:
        """Add the tab's parts to the page that is being built, and connect them."""
        choices = [(_LABELS[name], name) for name in self.watches]
        with gr.Row(equal_height=False):
            chosen = gr.Radio(
                choices, value=self._running(), label="Training", elem_id="training", scale=3
            )
            pause = gr.Button("Pause", elem_id="pause", scale=1, min_width=120)
        answer = gr.HTML(elem_id="pause-answer", visible=False)
        state = gr.HTML(elem_id="training-state")
        with gr.Row():
            loss = gr.LinePlot(
                x="step", y="loss", title="Loss", height=260, elem_id="loss", min_width=300
            )
            score = gr.LinePlot(
                x="step", y="score", title="Validation", height=260, elem_id="score", min_width=300
            )
        caption = gr.HTML(elem_id="samples-caption", visible=False)
        picture = gr.Image(
            label="Validation samples",
            show_label=False,
            interactive=False,
            elem_id="samples",
            buttons=["fullscreen"],
        )
        parts = [state, loss, score, caption, picture, pause]
        quiet: dict[str, Any] = {
            "queue": False,
            "show_progress": "hidden",
            "api_visibility": "private",
        }
        timer = gr.Timer(_SECONDS)
        timer.tick(self.look, chosen, parts, **quiet)
        chosen.change(self.look, chosen, parts, **quiet)
        pause.click(self.pause, chosen, answer, **quiet)

    def look(self, name: str) -> list[Any]:
        """What the tab shows of a training."""
        status = self.watches[name].status()
        is_asked = status.process is not None and self._asked.get(name) == status.process
        score: Any = gr.skip()
        if status.scores:
            metric = "psnr" if "psnr" in status.scores else next(iter(status.scores))
            score = gr.LinePlot(status.scores[metric], y_title=_score_label(metric))
        caption: Any = gr.skip()
        picture: Any = gr.skip()
        if status.picture is not None:
            step = int(status.picture.stem.removeprefix("step-"))
            text = f"<p>Validation samples after step {step:,}</p>"
            caption = gr.HTML(text, visible=True)
            picture = str(status.picture)
        return [
            f"<p>{html.escape(state_text(name, status, is_asked))}</p>",
            status.loss if len(status.loss) else gr.skip(),
            score,
            caption,
            picture,
            gr.Button(interactive=status.process is not None and not is_asked),
        ]

    def pause(self, name: str) -> gr.HTML:
        """Ask a training to pause; returns what happened."""
        try:
            process = self.watches[name].pause()
        except ProjectError as error:
            text = f'<p class="remark" role="alert">{html.escape(str(error))}</p>'
            return gr.HTML(text, visible=True)
        self._asked[name] = process
        text = (
            f"<p>Process {process} was asked to pause. It writes a checkpoint first. To resume, "
            f"run <code>{_COMMAND.format(name)}</code> again.</p>"
        )
        return gr.HTML(text, visible=True)

    def _running(self) -> str:
        """The training that runs; the first one if none does."""
        running = [name for name, watch in self.watches.items() if watch.status().process]
        return [*running, *self.watches][0]


def state_text(name: str, status: Status, is_asked: bool) -> str:
    """One sentence about a training."""
    if status.process is None:
        if not status.step:
            return f"No training runs. Start one with {_COMMAND.format(name)}."
        if status.last_step is None:
            return f"Not running. {_steps(status)}."
        is_done = status.step >= status.last_step
        ended = "Finished" if is_done else "Not running; paused, or stopped by an error"
        return f"{ended}. {_steps(status)}."
    doing = "Pausing" if is_asked else "Running"
    parts = [f"{doing}, process {status.process}. {_steps(status)}"]
    if status.samples_per_second:
        parts.append(f"{status.samples_per_second:.3g} samples per second")
    if status.remaining is not None and not is_asked:
        parts.append(f"{_duration(status.remaining)} left")
    return ", ".join(parts) + "."


def _score_label(name: str) -> str:
    quantity = quantities().get(name)
    if quantity is None:
        return name
    return f"{quantity.label}, {quantity.unit}" if quantity.unit else quantity.label


def _steps(status: Status) -> str:
    of = f" of {status.last_step:,}" if status.last_step else ""
    return f"Step {status.step:,}{of}"


def _duration(time: timedelta) -> str:
    minutes = round(time.total_seconds() / 60)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
