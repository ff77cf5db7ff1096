"""Measures how fast pairs are encoded, compared with a bare loop over tensors in memory.

    python benchmarks/encode.py [--json FILE] [--rounds N] [--pairs N] [--side N] [--width W]

The cases take turns. `encode` is the pipeline as it is: it reads the pair shards, encodes beauty
and albedo as they are and flipped, makes the latent masks, checks the latents, and writes the
shards and flushes them to the disk. The bare loops run the autoencoder's encoder over the same
images, which are on the device, and keep nothing: in batches, and on a CPU also one image per core.
The autoencoder has the shape of Stable Diffusion's, on a CPU with a quarter of its channels. Last,
the benchmark measures the memory of new processes that encode N and 10 N pairs of 512 px with the
bundled autoencoder.
"""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import torch
from diffusers import AutoencoderKL
from inputs import new_autoencoder
from measuring import (
    Row,
    argument_parser,
    by_turns,
    memory_row,
    memory_rows,
    paired_ratio,
    rate_row,
    report,
)
from row_build import save_rows

from albedo_pipeline.imaging.pixels import to_tensor
from albedo_pipeline.models.autoencoder import BUNDLED_AUTOENCODER, encode
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.preprocessing.encode import LatentBuild
from albedo_pipeline.runtime.device import open_device, pick_device
from albedo_pipeline.runtime.parallel import one_thread_each, ordered_map, usable_cores
from albedo_pipeline.shards.datasets import LatentShardsDataset, PairShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import Row as ShardRow

DIFFERENT = 8
"""Number of different images, which the pairs repeat."""
MEMORY_SIDE = 512


def random_pairs(folder: Path, count: int, side: int) -> PairShards:
    """Write shards of `count` pairs as `ingest` does, in which a few images repeat; open them."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 2**16, (DIFFERENT, 2, 3, side, side), np.uint16)
    valid = np.ones((1, side, side), np.uint8)

    def rows() -> Iterator[ShardRow]:
        for number in range(count):
            beauty, albedo = images[number % DIFFERENT]
            identity = {"sample_id": f"s{number:06d}", "group": "g"}
            yield identity | {"beauty": beauty, "albedo": albedo, "valid": valid}

    dataset = PairShardsDataset(filepath=str(folder / "pairs"), samples_per_shard=64)
    save_rows(dataset, rows(), count)
    return dataset.load()


def new_build(
    pairs: PairShards, autoencoder: AutoencoderKL, batch: int, device: torch.device, precision: str
) -> LatentBuild:
    """The shard build of `encode`."""
    manifest = pairs.scalars.to_pandas().assign(row=range(len(pairs)), split="train")
    return LatentBuild(pairs, manifest, autoencoder, batch, device, precision)


def encode_seconds(build: LatentBuild, folder: Path) -> float:
    """Seconds that `encode` takes when no shards exist."""
    for leftover in (folder, folder.with_name(f".{folder.name}.ledger")):
        shutil.rmtree(leftover, ignore_errors=True)
    start = time.perf_counter()
    LatentShardsDataset(filepath=str(folder), samples_per_shard=256).save(build)
    return time.perf_counter() - start


@torch.no_grad()
def loop_seconds(
    encode_batch: Callable[[torch.Tensor], torch.Tensor], batches: list[torch.Tensor], threads: int
) -> float:
    """Seconds that the encoder takes for all batches, on `threads` Python threads."""
    is_cpu = batches[0].device.type == "cpu"
    start = time.perf_counter()
    if threads > 1:
        with one_thread_each():
            for _ in ordered_map(torch.no_grad()(encode_batch), batches, threads):
                pass
    else:
        for batch in batches:
            encode_batch(batch)
    if not is_cpu:
        torch.cuda.synchronize()
    return time.perf_counter() - start


def in_memory(pairs: PairShards, device: torch.device) -> torch.Tensor:
    """Beauty and albedo of the different pairs, as they are and flipped, on the device.

    float32 [4 * DIFFERENT, 3, H, W]. The bare loops run over them again and again, so that a device
    needs no memory for the images of all pairs.
    """
    rows = range(DIFFERENT)
    both = torch.cat([to_tensor(pairs.batch(name, rows)) for name in ("beauty", "albedo")])
    return torch.cat([both, both.flip(-1)]).to(device)


def memory(folder: Path) -> Row:
    """Memory while the pairs of a folder are encoded, MiB."""
    autoencoder = AutoencoderKL.from_pretrained(BUNDLED_AUTOENCODER, use_safetensors=True).eval()
    build = new_build(PairShards(folder / "pairs"), autoencoder, 8, torch.device("cpu"), "fp32")
    return memory_row(partial(encode_seconds, build, folder / "latents"))


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    is_cpu = pick_device("auto").type == "cpu"
    parser = argument_parser(__doc__, rounds=5)
    parser.add_argument("--pairs", type=int, default=32 if is_cpu else 2048, help="pairs of a turn")
    parser.add_argument(
        "--side", type=int, default=128 if is_cpu else 512, help="side of the images, pixels"
    )
    parser.add_argument("--width", default="quarter" if is_cpu else "full")
    parser.add_argument("--batch", type=int, default=8 if is_cpu else 32, help="images of a batch")
    parser.add_argument("--precision", default="fp32" if is_cpu else "bf16")
    parser.add_argument("--memory-pairs", type=int, default=200, help="N; 0 skips the memory")
    arguments = parser.parse_args()
    if arguments.pairs % DIFFERENT or 4 * DIFFERENT % arguments.batch:
        parser.error(
            f"--pairs must be a multiple of {DIFFERENT}, and --batch divide {4 * DIFFERENT}"
        )
    device, repeats = open_device("auto", arguments.precision), arguments.pairs // DIFFERENT
    rows, ratios = {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        pairs = random_pairs(folder, arguments.pairs, arguments.side)
        autoencoder = new_autoencoder(arguments.width, arguments.side).to(device)
        build = new_build(pairs, autoencoder, arguments.batch, device, arguments.precision)
        images = in_memory(pairs, device)

        def encode_batch(batch: torch.Tensor) -> torch.Tensor:
            with autocast(device, arguments.precision):
                return encode(autoencoder, batch)

        cases = {
            "encode": partial(encode_seconds, build, folder / "latents"),
            "bare batches": partial(
                loop_seconds, encode_batch, repeats * list(images.split(arguments.batch)), 1
            ),
        }
        if is_cpu:
            cases["bare, one per core"] = partial(
                loop_seconds, encode_batch, repeats * list(images.split(1)), usable_cores()
            )
        times = by_turns(cases, arguments.rounds)
        rows |= {case: rate_row(seconds, arguments.pairs) for case, seconds in times.items()}
        for case in list(cases)[1:]:
            ratios[f"encode_over_{case}"] = paired_ratio(times[case], times["encode"])
    if arguments.memory_pairs:
        prepare = partial(random_pairs, side=MEMORY_SIDE)
        needed, ratio = memory_rows(arguments.memory_pairs, prepare, memory)
        rows, ratios = rows | needed, ratios | ratio
    report(rows, ratios, arguments.json, device.type)


if __name__ == "__main__":
    main()
