"""Measures what it costs to compare rows and weights with their digests, as a share of a stage.

    python benchmarks/checks.py [--json FILE] [--rounds N] [--width quarter|full] [--side N]

Each stage runs with and without the checks, in turns:

- `encode` encodes pairs into new shards. Without: the rows count as checked already.
- `epoch` trains one epoch; rows are only checked when they are read for the first time, so this
  is the complete cost of a training. Without: the rows count as checked already.
- `load` opens an autoencoder and a UNet, and `predict` uses them for one image, in one step.
  Without: their folders have no checksums.

All files are in the system's file cache. A ratio of 1.03 means that the checks take 3 % more time.
On a CPU, the time is that of the processor in all threads, so that other programs do not count.
"""

import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import torch
from encode import encode_seconds, new_build, random_pairs
from inputs import FACTOR, LATENT_CHANNELS, TEXT_WIDTH, new_autoencoder, new_unet, random_latents
from loader import new_stream
from measuring import argument_parser, by_turns, paired_ratio, rate_row, report

from albedo_pipeline.artifacts.models import AutoencoderDataset, load_model
from albedo_pipeline.models.autoencoder import decode, encode
from albedo_pipeline.runtime.checksums import CHECKSUMS, verified, write_checksums
from albedo_pipeline.runtime.device import pick_device
from albedo_pipeline.runtime.parallel import ordered_map
from albedo_pipeline.shards.shards import Shards

READERS = 2


def seconds(work: Callable[[], object], device: torch.device) -> float:
    """Seconds that the work takes: of the processor, or with a GPU of the clock."""
    clock = time.process_time if device.type == "cpu" else time.perf_counter
    start = clock()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize()
    return clock() - start


def with_row_checks(shards: Shards, wanted: bool) -> None:
    """Let all rows count as not checked, so that they are, or as checked."""
    for shard in shards._shards:
        shard.checked[:] = not wanted


def predicted_noise(unet: torch.nn.Module, latents: torch.Tensor) -> torch.Tensor:
    """One pass of a UNet over two latents [B, C, h, w]."""
    text = torch.zeros(len(latents), 2, TEXT_WIDTH, device=latents.device)
    return unet(torch.cat([latents, latents], dim=1), torch.tensor(999), text).sample


def train_epoch(latents: Shards, unet: torch.nn.Module, batch: int, device: torch.device) -> None:
    """The steps of one epoch: read ahead, predict, and compute the gradient."""
    stream = new_stream(latents.folder, batch)
    stream._sources[0].latents._shards = latents._shards  # whose rows are marked
    steps = range(len(latents) // batch)
    for drawn in ordered_map(lambda step: stream.batch(step, range(batch)), steps, READERS):
        loss = predicted_noise(unet, drawn.beauty.to(device)).square().mean()
        loss.backward()
        unet.zero_grad()


def load(folder: Path) -> tuple[torch.nn.Module, ...]:
    """Open the models as the catalog does."""
    from diffusers import UNet2DConditionModel

    with verified(folder / "unet", "train"):
        unet = load_model(UNet2DConditionModel, folder / "unet", "train")
    return AutoencoderDataset(filepath=str(folder / "autoencoder")).load(), unet


@torch.no_grad()
def predict(folder: Path, side: int, device: torch.device) -> None:
    """Open the models, and predict one image."""
    autoencoder, unet = (model.to(device) for model in load(folder))
    latents = encode(autoencoder, torch.zeros(1, 3, side, side, device=device))
    decode(autoencoder, predicted_noise(unet, latents))


def with_checksums(folder: Path, wanted: bool) -> None:
    """Write or remove the checksums of the models."""
    for model in ("autoencoder", "unet"):
        (folder / model / CHECKSUMS).unlink(missing_ok=True)
        if wanted:
            write_checksums(folder / model)


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    device = pick_device("auto")
    is_cpu = device.type == "cpu"
    parser = argument_parser(__doc__, rounds=5)
    parser.add_argument("--samples", type=int, default=8 if is_cpu else 512)
    parser.add_argument("--side", type=int, default=128 if is_cpu else 512, help="pixels")
    parser.add_argument("--width", default="quarter" if is_cpu else "full")
    parser.add_argument("--batch", type=int, default=4 if is_cpu else 32)
    arguments = parser.parse_args()
    precision = "fp32" if is_cpu else "bf16"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        autoencoder = new_autoencoder(arguments.width, arguments.side)
        unet = new_unet(arguments.width, arguments.side // FACTOR)
        autoencoder.save_pretrained(folder / "autoencoder")
        unet.save_pretrained(folder / "unet")
        pairs = random_pairs(folder, arguments.samples, arguments.side)
        latents = random_latents(folder / "random", arguments.samples, arguments.side // FACTOR)
        assert latents.shapes("beauty")[0, 1] == LATENT_CHANNELS
        autoencoder, unet = autoencoder.to(device), unet.to(device)
        build = new_build(pairs, autoencoder, arguments.batch, device, precision)
        stages: dict[str, tuple[Callable[[bool], None], Callable[[], object]]] = {
            "encode": (
                partial(with_row_checks, pairs),
                partial(encode_seconds, build, folder / "latents"),
            ),
            "epoch": (
                partial(with_row_checks, latents),
                partial(train_epoch, latents, unet, arguments.batch, device),
            ),
            "load": (partial(with_checksums, folder), partial(load, folder)),
            "predict": (
                partial(with_checksums, folder),
                partial(predict, folder, arguments.side, device),
            ),
        }

        def run(stage: str, checks: bool) -> float:
            prepare, work = stages[stage]
            prepare(checks)
            return seconds(work, device)

        times = by_turns(
            {
                f"{stage}, {'with' if checks else 'without'} checks": partial(run, stage, checks)
                for stage in stages
                for checks in (True, False)
            },
            arguments.rounds,
        )
    counts = {"load": 1, "predict": 1}
    rows = {
        case: rate_row(t, counts.get(case.split(",")[0], arguments.samples))
        for case, t in times.items()
    }
    ratios = {
        f"{stage}_with_over_without": paired_ratio(
            times[f"{stage}, with checks"], times[f"{stage}, without checks"]
        )
        for stage in stages
    }
    report(rows, ratios, arguments.json, device.type)


if __name__ == "__main__":
    main()
