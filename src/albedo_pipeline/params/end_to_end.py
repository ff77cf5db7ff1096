"""Settings of the `end_to_end` objective, and of the augmentation that needs pixels."""

from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from albedo_pipeline.params.base import Params
from albedo_pipeline.params.varying import Varying


class FeatureLoss(Params):
    """Difference of the features that a frozen vision transformer gives, such as DINOv2's."""

    model: Path
    """Local folder of a transformers model whose output is one token per patch."""
    weight: Varying = 0.2
    """Weight of this term."""
    resolution: int = Field(224, ge=14)
    """Width and height that the images are resized to for the transformer, pixels."""


class EndToEnd(Params):
    """The loss of the `end_to_end` objective: a weighted sum of terms over valid pixels.

    A weight may change with the step: `[start_step, start, end, end_step]`.
    """

    kind: Literal["l1", "mse", "huber"] = "l1"
    """Error of a pixel and of a latent cell: absolute, squared, or Huber's mixture of both."""
    huber_delta: float = Field(0.1, gt=0)
    """Error above which `huber` is linear: of an sRGB-encoded pixel (0 to 1), or of the latent."""
    pixel_weight: Varying = 1.0
    """Weight of the error of the decoded image."""
    gradient_weight: Varying = 0.5
    """Weight of the error of its gradients, which makes edges sharp."""
    gradient_scales: int = Field(3, ge=1)
    """Number of scales at which gradients are compared; each halves the image."""
    ssim_weight: Varying = 0.0
    """Weight of 1 - SSIM."""
    latent_weight: Varying = 0.0
    """Weight of the error of the latent; the true one is encoded from the true albedo."""
    constancy_weight: Varying = 0.0
    """Weight of the difference between the predictions of one scene under two lights. If it is not
    0, every second sample of a batch shows the scene of the sample before it under another light,
    if the pairs have one."""
    features: FeatureLoss | None = None
    """Difference of a vision transformer's features; null: not measured."""
    decode_from_step: int = Field(0, ge=0)
    """Optimiser step from which the predicted latent is decoded. Before it, the loss is the latent
    term alone, which is several times faster."""
    decoded_crop: int | None = Field(None, ge=8)
    """Side of the random crop that is decoded and compared, pixels; null: the complete image. A
    crop takes less memory."""

    @property
    def decodes(self) -> bool:
        """Whether any term needs the decoded image."""
        weights = (self.pixel_weight, self.gradient_weight, self.ssim_weight, self.constancy_weight)
        return any(weights) or self.features is not None

    @model_validator(mode="after")
    def _has_a_loss(self) -> Self:
        if not self.decodes and not self.latent_weight:
            raise ValueError("at least one weight must be above 0")
        if self.decode_from_step and not self.latent_weight:
            raise ValueError("decode_from_step needs latent_weight, the loss until that step")
        return self


class DecoderTraining(Params):
    """Training of the autoencoder's decoder together with the denoiser."""

    ratio: float = Field(0.1, gt=0)
    """Learning rate of the decoder, as a factor of `learning_rate`."""


class Augmentation(Params):
    """Random changes of a sample that keep its albedo true.

    All but the flip need pixels: if any is on, images are encoded in the training step instead of
    being read as latents.
    """

    quarter_turns: bool = False
    """Whether a sample is turned by 0, 90, 180 or 270 degrees; only square images or crops."""
    crop: int | None = Field(None, ge=8)
    """Side of a random square crop, pixels; null: no crop."""
    crop_scale: tuple[float, float] = (1.0, 1.0)
    """Range of the side of the window that becomes the crop, as a factor of `crop`; the window is
    resized to the crop."""
    exposure: float = Field(0.0, ge=0)
    """Standard deviation of the beauty's exposure, in stops."""
    light_colour: float = Field(0.0, ge=0)
    """Standard deviation of the gain of each channel of the beauty, in stops."""
    sensor_noise: float = Field(0.0, ge=0)
    """Largest standard deviation of shot noise at linear white; it grows with the root of the
    light."""
    mix_lights: float = Field(0.0, ge=0, le=1)
    """Probability that a beauty is mixed with one of the same scene under another light, if the
    pairs have one: light adds up, the albedo stays."""

    @property
    def needs_pixels(self) -> bool:
        """Whether any change cannot be made on stored latents."""
        moves = self.quarter_turns or self.crop is not None
        return moves or self.changes_light or self.mix_lights > 0

    @property
    def changes_light(self) -> bool:
        """Whether strength or colour of the light is changed, or noise added."""
        return any((self.exposure, self.light_colour, self.sensor_noise))

    @model_validator(mode="after")
    def _range_is_sorted(self) -> Self:
        low, high = self.crop_scale
        if not 0 < low <= high:
            raise ValueError("crop_scale must be two numbers above 0, the smaller one first")
        if self.crop is None and (low, high) != (1.0, 1.0):
            raise ValueError("crop_scale needs crop")
        return self
