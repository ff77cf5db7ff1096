"""The baseline of `train_step.py`: an optimiser step of a single-script Marigold-style trainer.

It encodes both images at every step, waits for the device several times per step, and logs every
step. Its images are in memory: such a trainer also reads and decodes them, which is not measured.
"""

import logging
import random
from pathlib import Path

import pandas as pd
import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from torch.nn.functional import max_pool2d
from torch.utils.tensorboard import SummaryWriter

from albedo_pipeline.models.denoiser import new_scheduler
from albedo_pipeline.models.precision import autocast
from albedo_pipeline.params.denoiser import NoiseSchedule

logger = logging.getLogger(__name__)
_STEPS = 50_000
_TIMESTEPS = 1000
_SCALING_FACTOR = 0.18215
_FINAL_RATIO = 0.01
_LEAST_SEED, _GREATEST_SEED = -0x8000_0000_0000_0000, 0xFFFF_FFFF_FFFF_FFFF


class OriginalTrainer:
    """A trainer with one micro-batch per optimiser step, so without accumulation."""

    def __init__(
        self,
        unet: UNet2DConditionModel,
        autoencoder: AutoencoderKL,
        device: torch.device,
        precision: str,
        folder: Path,
    ) -> None:
        """Prepare the training.

        Args:
            folder: folder of the TensorBoard events and the log file.
        """
        self.device, self.precision = device, precision
        self.unet, self.autoencoder = unet.to(device).train(), autoencoder.to(device)
        self.scheduler = new_scheduler(NoiseSchedule())
        self.empty_text = torch.randn(1, 77, unet.config.cross_attention_dim, device=device)
        self.optimiser = torch.optim.Adam(self.unet.parameters(), lr=3e-5)
        self.schedule = torch.optim.lr_scheduler.LambdaLR(
            self.optimiser, lambda step: _FINAL_RATIO ** (step / _STEPS)
        )
        draw = random.Random(0).randint
        self.seeds = [draw(_LEAST_SEED, _GREATEST_SEED) for _ in range(_STEPS)]
        self.writer = SummaryWriter(str(folder))
        self.table = pd.DataFrame(index=["loss"], columns=["total", "counts", "average"], data=0.0)
        self.accumulation, self.iteration = 1, 0
        self.autoencoder_factor = 2 ** (len(autoencoder.config.block_out_channels) - 1)
        _log_to(folder / "train.log")

    def step(self, beauty: torch.Tensor, albedo: torch.Tensor, valid: torch.Tensor) -> None:
        """Train on one effective batch.

        Args:
            beauty: float32 [B, 3, H, W] in [-1, 1], on the CPU.
            albedo: the same for the albedo.
            valid: bool [B, 1, H, W].
        """
        loss = self._micro_batch(beauty, albedo, valid)
        (loss / self.accumulation).backward()
        self.optimiser.step()
        self.schedule.step()
        self.optimiser.zero_grad()
        self.iteration += 1
        average = self.table.loc["loss", "average"]
        self.table.loc[:, :] = 0.0
        self.writer.add_scalar("train/loss", average, self.iteration)
        self.writer.add_scalar("lr", self.schedule.get_last_lr()[0], self.iteration)
        self.writer.add_scalar("train/n_batch_in_epoch", self.iteration, self.iteration)
        logger.info("iter %5d (epoch %2d): loss=%.5f", self.iteration, 1, average)
        if self.device.type == "cuda":
            torch.cuda.empty_cache()

    def _micro_batch(
        self, beauty: torch.Tensor, albedo: torch.Tensor, valid: torch.Tensor
    ) -> torch.Tensor:
        generator = torch.Generator(self.device).manual_seed(self.seeds.pop())
        beauty, albedo = (i.to(self.device, torch.float32) for i in (beauty, albedo))
        mask = self._latent_mask(valid.to(self.device))
        with torch.no_grad(), autocast(self.device, self.precision):
            beauty_latent, albedo_latent = self._encode(beauty), self._encode(albedo)
        count = len(beauty)
        timesteps = torch.randint(
            0, _TIMESTEPS, (count,), device=self.device, generator=generator
        ).long()
        noise = torch.randn(albedo_latent.shape, device=self.device, generator=generator)
        noisy = self.scheduler.add_noise(albedo_latent, noise, timesteps)
        text = self.empty_text.repeat(count, 1, 1)
        with autocast(self.device, self.precision):
            prediction = self.unet(
                torch.cat([noisy, beauty_latent], dim=1).float(), timesteps, text
            ).sample
        if torch.isnan(prediction).any():
            logger.warning("model_pred contains NaN.")
        target = self.scheduler.get_velocity(albedo_latent, noise, timesteps)
        loss = ((prediction[mask].float() - target[mask].float()) ** 2).mean()
        self._record(loss.item())
        return loss

    def _latent_mask(self, valid: torch.Tensor) -> torch.Tensor:
        invalid = max_pool2d((~valid).float(), self.autoencoder_factor, self.autoencoder_factor)
        return (~invalid.bool()).repeat(1, self.autoencoder.config.latent_channels, 1, 1)

    def _encode(self, image: torch.Tensor) -> torch.Tensor:
        posterior = self.autoencoder.encode(image).latent_dist
        return posterior.mode().float() * _SCALING_FACTOR

    def _record(self, loss: float) -> None:
        table = self.table
        table.loc["loss", "total"] += loss
        table.loc["loss", "counts"] += 1
        table.loc["loss", "average"] = table.loc["loss", "total"] / table.loc["loss", "counts"]


def _log_to(path: Path) -> None:
    """Write the line of each step to a file, and not to the console, which shows the table."""
    logger.setLevel(logging.INFO)
    logger.addHandler(logging.FileHandler(path, encoding="utf-8"))
    logger.propagate = False
