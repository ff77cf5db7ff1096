"""Measures how long one optimiser step takes: the original trainer's, ours, and the bare step.

    python benchmarks/train_step.py [--json FILE] [--rounds N] [--width full] [--device cuda] …

All cases have the same initial weights and one micro-batch per step:
  original            a single-script Marigold-style trainer (`original_step.py`)
  ours fp32, bf16     `Trainer.run` as it is: latents from the disk, the log, and TensorBoard
  bare fp32, bf16     forward and backward pass and optimiser, on one batch that is on the device
Options add `original bf16` (which runs on a GPU by default) and `ours bf16 compiled`.

At quarter width all cases take turns. At full width a training takes 13 GiB between its steps, and
17 GiB with gradients, so only the two cases of one ratio take turns, one ratio after the other; the
row of a case is from its first ratio. A GPU of 24 GB has room for one of the `--cases` at a time,
and nothing is compared.
"""

import argparse
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch
from flops import flops_of, matmul_rate
from inputs import (
    FACTOR,
    LATENT_CHANNELS,
    TEXT_WIDTH,
    Width,
    new_autoencoder,
    new_unet,
    random_latents,
)
from interleaved import Group, Guest, Host, Turns, started
from measuring import Row, argument_parser, by_turns, paired_ratio, rate_row, report
from original_step import OriginalTrainer
from torch.nn.functional import mse_loss

from albedo_pipeline.artifacts.checkpoints import Checkpoints
from albedo_pipeline.models.denoiser import Denoiser, new_scheduler
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.params import TrainParams
from albedo_pipeline.runtime.device import open_device, pick_device
from albedo_pipeline.runtime.distributed import accelerated
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.batches import Stream, usable
from albedo_pipeline.training.callbacks import Callbacks
from albedo_pipeline.training.denoiser_components import prepare
from albedo_pipeline.training.denoiser_task import DenoiserTask
from albedo_pipeline.training.log import TrainingLog
from albedo_pipeline.training.optimisation import new_optimiser, set_learning_rate
from albedo_pipeline.training.resume import TrainState
from albedo_pipeline.training.trackers import start_trackers
from albedo_pipeline.training.trainer import Trainer

_RATE = 3e-5


@dataclass(frozen=True)
class Settings:
    """Settings that all cases share."""

    width: Width
    resolution: int
    batch: int
    device: str
    latents: Path

    @property
    def side(self) -> int:
        """Cells of a latent along one side."""
        return self.resolution // FACTOR


def train_params(settings: Settings, precision: str, compiled: bool) -> TrainParams:
    """The project's defaults, without checkpoints and validation."""
    return TrainParams.model_validate(
        {
            "effective_batch_size": settings.batch,
            "micro_batch_size": settings.batch,
            "max_steps": 50_000,
            "learning_rate": {"peak": _RATE},
            "precision": precision,
            "device": settings.device,
            "execution": {"compile": compiled},
            "checkpoints": {"every": 1_000_000},
        }
    )


def ours(
    settings: Settings, folder: Path, turns: Turns, precision: str, compiled: bool = False
) -> None:
    """Run the project's trainer, set up as `train_denoiser` does it."""
    params = train_params(settings, precision, compiled)
    stream = Stream([usable(LatentShards(settings.latents), "train")], params)
    text_embedding = torch.randn(1, 2, TEXT_WIDTH)
    scheduler = new_scheduler(params.noise_schedule)
    with accelerated(params.device, params.precision, deterministic=False) as accelerator:
        unet = new_unet(settings.width, settings.side)
        denoiser = Denoiser(unet, scheduler, text_embedding)
        autoencoder = new_autoencoder(settings.width, FACTOR * settings.side)
        components = prepare(accelerator, denoiser, autoencoder, params)
        state = TrainState(run="benchmark")
        start_trackers(accelerator, folder, state.run, state.step, None, {})
        log = TrainingLog([], lambda scalars, step: accelerator.log(scalars, step=step))
        # No validation and no checkpoint is due, so no images and no configuration are needed.
        task = DenoiserTask(components, stream, None, params)
        Trainer(task, params, Checkpoints(folder), {}, state, log, Callbacks()).run(turns)


def original(settings: Settings, folder: Path, turns: Turns, precision: str) -> None:
    """Run the original trainer on random images."""
    unet = new_unet(settings.width, settings.side)
    autoencoder = new_autoencoder(settings.width, settings.resolution)
    device = pick_device(settings.device)
    trainer = OriginalTrainer(unet, autoencoder, device, precision, folder)
    shape = (settings.batch, 3, settings.resolution, settings.resolution)
    beauty, albedo = (torch.rand(shape) * 2 - 1 for _ in range(2))
    valid = torch.rand(settings.batch, 1, settings.side, settings.side) < 0.9
    valid = valid.repeat_interleave(FACTOR, 2).repeat_interleave(FACTOR, 3)
    while True:
        turns()
        trainer.step(beauty, albedo, valid)


def bare_batch(settings: Settings, device: torch.device) -> tuple[torch.Tensor, ...]:
    """Input, timesteps, text embedding and target of a step."""
    count, side = settings.batch, settings.side
    return (
        torch.randn(count, 2 * LATENT_CHANNELS, side, side, device=device),
        torch.arange(count, device=device),
        torch.randn(count, 2, TEXT_WIDTH, device=device),
        torch.randn(count, LATENT_CHANNELS, side, side, device=device),
    )


def bare(settings: Settings, precision: str) -> Callable[[], None]:
    """A step of nothing but forward and backward pass and the project's optimiser."""
    device = open_device(settings.device, precision)
    unet = new_unet(settings.width, settings.side).to(device).train()
    params = train_params(settings, precision, compiled=False)
    optimiser = new_optimiser(dict(unet.named_parameters()), params.optimiser)
    set_learning_rate(optimiser, _RATE)
    latents, timesteps, text_embedding, target = bare_batch(settings, device)

    def step() -> None:
        with autocast(device, precision):
            prediction = unet(latents, timesteps, text_embedding).sample
        mse_loss(prediction.float(), target).backward()
        optimiser.step()
        optimiser.zero_grad()

    return step


HOSTS: dict[str, Host] = {
    "original": partial(original, precision="fp32"),
    "original bf16": partial(original, precision="bf16"),
    "ours fp32": partial(ours, precision="fp32"),
    "ours bf16": partial(ours, precision="bf16"),
    "ours bf16 compiled": partial(ours, precision="bf16", compiled=True),
}
GUESTS: dict[str, Guest] = {
    "bare fp32": partial(bare, precision="fp32"),
    "bare bf16": partial(bare, precision="bf16"),
}
CASES = (*HOSTS, *GUESTS)


def groups_of(names: Iterable[str]) -> dict[str, Group]:
    """Cases by the process they run in; a bare step shares that of our case of its precision."""
    groups: dict[str, Group] = {}
    for name in names:
        if name in HOSTS:
            groups[name] = Group(host=(name, HOSTS[name]))
        else:
            host = name.replace("bare", "ours")
            groups.setdefault(host, Group()).guests[name] = GUESTS[name]
    return groups


def step_flops(settings: Settings) -> int:
    """Number of floating-point operations in the forward and backward pass of a bare step."""
    device = torch.device("meta")  # nothing is computed
    with device:
        unet = new_unet(settings.width, settings.side)
    *inputs, target = bare_batch(settings, device)
    return flops_of(lambda: mse_loss(unet(*inputs).sample, target).backward())


RATIOS = {
    "ours_fp32_over_original": ("ours fp32", "original"),
    "ours_bf16_over_original": ("ours bf16", "original"),
    "ours_bf16_over_original_bf16": ("ours bf16", "original bf16"),
    "ours_bf16_compiled_over_original": ("ours bf16 compiled", "original"),
    "overhead_fp32": ("ours fp32", "bare fp32"),
    "overhead_bf16": ("ours bf16", "bare bf16"),
}
"""Our speed over that of the original, and the share of time that we add to the bare step."""


def turns_together(names: Sequence[str], width: Width) -> list[tuple[str, ...]]:
    """The cases that take turns: all, or at full width those of one ratio."""
    if width == "quarter":
        return [tuple(names)]
    pairs = [pair for pair in RATIOS.values() if set(pair) <= set(names)]
    alone = [(name,) for name in names if not any(name in pair for pair in pairs)]
    return pairs + alone


def ratios(times: dict[str, list[float]]) -> dict[str, float]:
    """The values of `RATIOS` whose cases took turns."""
    values = {}
    for key, (case, other) in RATIOS.items():
        if case in times and other in times:
            if key.startswith("overhead"):
                values[key] = paired_ratio(times[case], times[other]) - 1
            else:
                values[key] = paired_ratio(times[other], times[case])
    return values


def chosen(arguments: argparse.Namespace, device: torch.device) -> Iterator[str]:
    """Names of the cases to measure."""
    optional = {
        "original bf16": arguments.original_bf16 or device.type == "cuda",
        "ours bf16 compiled": arguments.compile,
    }
    for name in CASES:
        if name in arguments.cases if arguments.cases else optional.get(name, True):
            yield name


def arguments_of_command_line() -> argparse.Namespace:
    """The options of the command line."""
    parser = argument_parser(__doc__, rounds=15)
    parser.add_argument("--warmup", type=int, default=2, help="rounds that are not measured")
    parser.add_argument("--steps", type=int, help="steps of a turn (default: 1, on a GPU 20)")
    parser.add_argument("--width", choices=("quarter", "full"), default="quarter")
    parser.add_argument("--resolution", type=int, default=256, help="side of the images, pixels")
    parser.add_argument("--batch", type=int, default=4, help="samples of a step")
    parser.add_argument("--samples", type=int, default=512, help="samples on the disk")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument(
        "--cases", nargs="+", choices=CASES, help="the cases to measure, instead of the default"
    )
    parser.add_argument("--original-bf16", action="store_true", help="add 'original bf16'")
    parser.add_argument("--compile", action="store_true", help="add 'ours bf16 compiled'")
    return parser.parse_args()


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    arguments = arguments_of_command_line()
    device = pick_device(arguments.device)
    on_gpu = device.type == "cuda"
    steps = arguments.steps or (20 if on_gpu else 1)
    rows: dict[str, Row] = {}
    compared: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        settings = Settings(
            arguments.width, arguments.resolution, arguments.batch, device.type, folder / "latents"
        )
        random_latents(settings.latents, arguments.samples, settings.side)
        together = turns_together(list(chosen(arguments, device)), arguments.width)
        for number, names in enumerate(together):
            here = folder / f"turns-{number}"
            here.mkdir()
            with started(groups_of(names), settings, here, steps) as turns:
                times = by_turns(turns, arguments.rounds, arguments.warmup)
            rows = {n: rate_row(t, arguments.batch) for n, t in times.items()} | rows
            compared |= ratios(times)
    if on_gpu:
        share = step_flops(settings) / matmul_rate(device)
        for row in rows.values():
            row["utilisation"] = share / (row["median_ms"] / 1e3)
    device_name = torch.cuda.get_device_name(device) if on_gpu else ""
    report(rows, compared, arguments.json, device_name)


if __name__ == "__main__":
    main()
