"""Settings of `train`."""

from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from albedo_pipeline.params.base import Device, Precision
from albedo_pipeline.params.denoiser import Lora, NoiseSchedule, PretrainedDenoiser, ScratchDenoiser
from albedo_pipeline.params.end_to_end import Augmentation, DecoderTraining, EndToEnd
from albedo_pipeline.params.loading import DEFAULT_LOADING, WeightLoading
from albedo_pipeline.params.optimisation import Loss, Noise, Validation
from albedo_pipeline.params.training_loop import TrainingLoop, flat


def _check_micro_batch_size(value: Any) -> Any:
    is_count = isinstance(value, int) and not isinstance(value, bool) and value >= 1
    if value != "auto" and not is_count:
        raise ValueError(f"must be a whole number of at least 1, or auto (got {value!r})")
    return value


_WITHOUT_EFFECT = {
    "diffusion": ("end_to_end", "train_decoder"),
    "end_to_end": ("loss", "noise"),
}
"""Settings of the other objective, by objective."""


class TrainParams(TrainingLoop):
    """How the denoiser is trained."""

    pipeline: ClassVar[str] = "train"
    settings_path: ClassVar[str] = "train"
    adoptable: ClassVar[tuple[str, ...]] = (
        *TrainingLoop.adoptable,
        "loss",
        "noise",
        "end_to_end",
        "features",
        "mixture",
        "flip_probability",
        "augmentation",
    )

    objective: Literal["diffusion", "end_to_end"] = "diffusion"
    """What is trained: the masked loss in latent space at random timesteps (`diffusion`), or one
    step at the last timestep with the loss on decoded pixels (`end_to_end`, Garcia et al. 2024)."""
    source: Literal["scratch", "pretrained"] = "scratch"
    """Where the denoiser comes from: random weights (`scratch`), or a model (`pretrained`)."""
    scratch: ScratchDenoiser = ScratchDenoiser()
    """Size of the UNet; only for source `scratch`."""
    pretrained: PretrainedDenoiser | None = None
    """Model to begin with; source `pretrained` needs it."""
    start_from: str | None = None
    """Denoiser whose UNet the training begins with: a folder such as a copy of
    `data/06_models/denoiser`, an exported folder, or `bundled`, the estimator that ships with the
    package; null: as `source` says."""
    loading: WeightLoading = DEFAULT_LOADING
    """How the weights of `pretrained` or `start_from` are put into the UNet."""
    lora: Lora | None = None
    """Low-rank adapters, which are trained in place of the UNet; null: the UNet itself is
    trained."""
    noise_schedule: NoiseSchedule = NoiseSchedule()
    """The noise of the diffusion process."""
    noise: Noise = Noise()
    """The noise that is added to albedo latents; only for the objective `diffusion`."""
    loss: Loss = Loss()
    """The loss of the objective `diffusion`."""
    end_to_end: EndToEnd = EndToEnd()
    """The loss of the objective `end_to_end`."""
    train_decoder: DecoderTraining | None = None
    """Trains the autoencoder's decoder along, for albedo alone; null: it stays as it is. Only for
    the objective `end_to_end`. The encoder never changes, so stored latents stay valid."""
    mixture: dict[str, Annotated[float, Field(gt=0, allow_inf_nan=False)]] = Field(
        {"latents": 1.0}, min_length=1
    )
    """Shares of the latent sets in every batch, by name: `latents`, and the sets of the catalog's
    entry `more_latents`. The shares are divided by their sum."""
    flip_probability: float = Field(0.5, ge=0, le=1)
    """Probability that a sample is flipped left to right."""
    augmentation: Augmentation = Augmentation()
    """Random changes of the samples, besides the flip."""
    micro_batch_size: Annotated[int | Literal["auto"], BeforeValidator(_check_micro_batch_size)]
    """Largest number of samples that a process computes at a time; a divisor of
    `effective_batch_size`. `auto` takes the largest that fits into the free memory of the device
    when the training starts. It does not change the result."""
    precision: Precision = "bf16"
    """Number format of the forward pass; weights are always fp32. fp16 needs a GPU."""
    device: Device = "auto"
    """Where the denoiser is trained; `auto` takes a GPU if there is one."""
    validation: Validation = Validation()
    """When and how validation samples are predicted and scored."""

    @property
    def default_run_name(self) -> str:
        """Name of the run if `run_name` is null: the objective."""
        return self.objective

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        size = self.micro_batch_size
        if size != "auto" and self.effective_batch_size % size:
            raise ValueError(
                f"effective_batch_size ({self.effective_batch_size}) must be a multiple of "
                f"micro_batch_size ({size})"
            )
        if self.source == "pretrained" and self.pretrained is None:
            raise ValueError("source 'pretrained' needs the key 'pretrained'")
        loads = self.source == "pretrained" or self.start_from is not None
        if self.loading != DEFAULT_LOADING and not loads:
            raise ValueError("loading needs source 'pretrained' or start_from")
        if self.objective == "end_to_end":
            self._one_step_settings_agree()
        elif self.train_decoder is not None:
            raise ValueError("train_decoder needs objective 'end_to_end'")
        return self

    def _one_step_settings_agree(self) -> None:
        if self.noise_schedule.prediction_type == "epsilon":
            raise ValueError(
                "noise_schedule.prediction_type 'epsilon' says nothing about the image at the last "
                "timestep; objective 'end_to_end' needs 'v_prediction' or 'sample'"
            )
        loss = self.end_to_end
        if self.train_decoder is not None and (loss.decode_from_step or not loss.decodes):
            raise ValueError(
                "train_decoder needs end_to_end.decode_from_step 0 and a loss of decoded pixels"
            )
        size = self.micro_batch_size
        if self.has_light_pairs and size != "auto" and size % 2:
            raise ValueError("end_to_end.constancy_weight needs an even micro_batch_size")
        if self.validation.steps not in (None, 1):
            raise ValueError("objective 'end_to_end' predicts in one step: validation.steps is 1")
        if self.validation.ensemble.kind == "noise" and self.validation.ensemble.members > 1:
            raise ValueError(
                "objective 'end_to_end' ignores the noise: validation.ensemble.kind must be "
                "'augmentation'"
            )
        if self.lora and any(name.endswith("conv_in") for name in self.lora.target_modules):
            raise ValueError(
                "lora.target_modules: an adapter of conv_in would let the noise in; name conv_in "
                "in lora.train_also"
            )

    @property
    def micro_batch_size_as_number(self) -> int:
        """The size of a micro-batch, after the training has put a number in the place of `auto`."""
        assert self.micro_batch_size != "auto"
        return self.micro_batch_size

    @property
    def has_light_pairs(self) -> bool:
        """Whether every second sample shows the scene of the one before under another light."""
        return self.objective == "end_to_end" and self.end_to_end.constancy_weight != 0

    @property
    def needs_pixels(self) -> bool:
        """Whether the training reads images, not only latents."""
        return self.objective == "end_to_end" or self.augmentation.needs_pixels

    def shares(self) -> dict[str, float]:
        """Share of each latent set by name, sorted by name; their sum is 1."""
        total = sum(self.mixture.values())
        return {name: self.mixture[name] / total for name in sorted(self.mixture)}

    def result_settings(self, last_step: int) -> dict[str, Any]:
        """The settings that decide the weights at each step, by dotted key.

        Settings without effect are left out, such as `huber_delta` for the loss `mse`, so that a
        run can be resumed if they differ.
        """
        kept = self.kept_settings(last_step)
        if self.noise.kind == "gaussian":
            kept["noise"] = {"kind": "gaussian"}
        if self.loss.kind != "huber":
            del kept["loss"]["huber_delta"]
        del kept["scratch" if self.source == "pretrained" else "pretrained"]
        # The digest of `start_from` stands for it, too; checkpoints of before it existed lack it.
        if self.start_from is not None or self.loading == DEFAULT_LOADING:
            del kept["loading"]
        if self.start_from is not None:  # its digest stands for it; see `resume.configuration`
            kept = {key: kept[key] for key in kept.keys() - {"source", "scratch", "pretrained"}}
        if self.objective == "end_to_end" and self.end_to_end.features:
            del kept["end_to_end"]["features"]["model"]  # its digest stands for it, too
        for key in ("start_from", *_WITHOUT_EFFECT[self.objective]):
            del kept[key]
        return flat(kept)
