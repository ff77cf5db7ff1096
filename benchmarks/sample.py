"""Measures how fast albedo is predicted, compared with diffusers' own pipeline.

    python benchmarks/sample.py [--json FILE] [--rounds N] [--images N] [--side N] [--width WIDTH]
                                [--batch N] [--steps N] [--ensemble N] [--half bf16|fp16]

Both sides have the same weights, noise, steps and size; the weights are random, in the shape of
Stable Diffusion 2.1. Everything is in memory, on the device. Each side runs one image at a time and
in batches, in full and in half precision.
"""

import copy
import time
from functools import partial

import torch
from diffusers import MarigoldIntrinsicsPipeline
from inputs import FACTOR, LATENT_CHANNELS, TEXT_WIDTH, new_autoencoder, new_unet
from measuring import argument_parser, by_turns, paired_ratio, rate_row, report

from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.denoiser import Denoiser, new_scheduler
from albedo_pipeline.models.text_embedding import embed_empty_text, new_text_encoder
from albedo_pipeline.params.denoiser import NoiseSchedule
from albedo_pipeline.params.sampling import Sampling
from albedo_pipeline.runtime.device import open_device

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def new_pipeline(width: str, side: int) -> MarigoldIntrinsicsPipeline:
    """diffusers' pipeline with untrained networks."""
    torch.manual_seed(2)
    encoder, tokenizer = new_text_encoder(TEXT_WIDTH)
    pipeline = MarigoldIntrinsicsPipeline(
        unet=new_unet(width, side // FACTOR).eval(),
        vae=new_autoencoder(width, side),
        scheduler=new_scheduler(NoiseSchedule()),
        text_encoder=encoder,
        tokenizer=tokenizer,
        prediction_type="intrinsics",
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def seconds_of(work, device: torch.device) -> float:
    """Seconds of one call, until the device has finished it."""
    start = time.perf_counter()
    work()
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter() - start


def diffusers_predictions(
    pipeline: MarigoldIntrinsicsPipeline,
    images: torch.Tensor,
    noise: torch.Tensor,
    steps: int,
    batch: int,
) -> torch.Tensor:
    """Predictions of diffusers' pipeline, [B, 3, H, W]."""
    return pipeline(
        (images + 1) / 2,
        num_inference_steps=steps,
        ensemble_size=noise.shape[1],
        processing_resolution=0,
        batch_size=batch,
        latents=noise.flatten(0, 1).to(pipeline.dtype),
        ensembling_kwargs={"reduction": "mean"},
        output_type="pt",
    ).prediction


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    device = open_device("auto", "fp32")
    is_cpu = device.type == "cpu"
    parser = argument_parser(__doc__, rounds=5)
    parser.add_argument("--images", type=int, default=8 if is_cpu else 32, help="images of a turn")
    parser.add_argument(
        "--side", type=int, default=128 if is_cpu else 512, help="side of the images, pixels"
    )
    parser.add_argument("--width", default="quarter" if is_cpu else "full")
    parser.add_argument("--batch", type=int, default=8, help="images of a batch")
    parser.add_argument("--steps", type=int, default=4)
    parser.add_argument("--ensemble", type=int, default=1)
    parser.add_argument("--half", default="bf16", choices=("bf16", "fp16"))
    arguments = parser.parse_args()
    torch.manual_seed(3)
    side, count = arguments.side, arguments.images
    cells = (LATENT_CHANNELS, side // FACTOR, side // FACTOR)
    images = torch.rand(count, 3, side, side).to(device) * 2 - 1
    noise = torch.randn(count, arguments.ensemble, *cells).to(device)
    original = new_pipeline(arguments.width, side)
    text_embedding = embed_empty_text(original.text_encoder, original.tokenizer)
    cases = {}
    for precision in ("fp32", arguments.half):
        pipeline = copy.deepcopy(original).to(device, DTYPES[precision])
        own = copy.deepcopy(original)
        model = AlbedoModel(Denoiser(own.unet, own.scheduler, text_embedding), own.vae)
        for batch in sorted({1, arguments.batch}):
            sampling = Sampling(steps=arguments.steps, batch_size=batch)
            estimator = Estimator.owning(model, device, sampling, precision)
            ours = partial(estimator.predict, images, noise)
            other = partial(diffusers_predictions, pipeline, images, noise, arguments.steps, batch)
            if precision == "fp32":
                torch.testing.assert_close(ours().albedo, other(), atol=1e-4, rtol=0)
            cases[f"ours, {precision}, {batch} at a time"] = partial(seconds_of, ours, device)
            cases[f"diffusers, {precision}, {batch} at a time"] = partial(seconds_of, other, device)
    times = by_turns(cases, arguments.rounds)
    rows = {case: rate_row(seconds, count) for case, seconds in times.items()}
    report(rows, ratios_of(times), arguments.json, device.type)


def ratios_of(times: dict[str, list[float]]) -> dict[str, float]:
    """Our speed over that of diffusers.

    The cases are compared with the same batch size and precision, and our fastest case with the
    fastest of diffusers in full precision, which is its default.
    """
    same = {
        f"over diffusers, {case.removeprefix('ours, ')}": paired_ratio(
            times[case.replace("ours", "diffusers")], times[case]
        )
        for case in times
        if case.startswith("ours")
    }
    best = min((case for case in times if case.startswith("ours")), key=lambda c: sum(times[c]))
    others = [case for case in times if case.startswith("diffusers, fp32")]
    fastest = min(others, key=lambda case: sum(times[case]))
    return same | {f"{best}, over {fastest}": paired_ratio(times[fastest], times[best])}


if __name__ == "__main__":
    main()
