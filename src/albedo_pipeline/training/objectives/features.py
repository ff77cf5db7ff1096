"""The feature term of the objective `end_to_end`: distances of a vision transformer's tokens."""

from typing import Any

import torch
from torch.nn.functional import interpolate, normalize
from transformers import AutoModel

from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.params.end_to_end import FeatureLoss
from albedo_pipeline.provenance.weights import tensors_digest

_MEAN = (0.485, 0.456, 0.406)
"""Mean of ImageNet's channels, which DINOv2 and DINOv3 are trained with."""
_DEVIATION = (0.229, 0.224, 0.225)
"""Standard deviation of these channels."""


class Features:
    """A frozen vision transformer that compares images."""

    def __init__(self, model: Any, resolution: int, device: torch.device) -> None:
        """Freeze the transformer.

        Args:
            model: transformers model whose output is one token per patch.
            resolution: width and height that the images are resized to, pixels.
            device: device of the images.
        """
        self._model = model.eval().requires_grad_(False).to(device)
        self._resolution = resolution
        self._mean, self._deviation = (
            torch.tensor(each, device=device).view(1, 3, 1, 1) for each in (_MEAN, _DEVIATION)
        )

    def digest(self) -> str:
        """Digest of the transformer's weights."""
        return tensors_digest(self._model.named_parameters())

    def loss(
        self, prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
    ) -> torch.Tensor:
        """1 - cosine similarity, the mean over all tokens times the number of valid pixels; [B].

        Masked pixels of the prediction are replaced by those of the truth.

        Args:
            prediction, truth: [B, 3, H, W], sRGB-encoded, in [0, 1].
            valid: [B, 1, H, W], 1 for valid pixels.
        """
        mask = valid.bool()
        known = torch.where(mask, truth, 0.5)
        predicted = self._tokens(torch.where(mask, prediction, known))
        with torch.no_grad():
            true = self._tokens(known)
        distance = 1 - (predicted * true).sum(dim=-1)
        return distance.mean(dim=1) * mask.sum(dim=(1, 2, 3))

    def _tokens(self, images: torch.Tensor) -> torch.Tensor:
        """Unit vectors [B, tokens, D] of images in [0, 1]."""
        size = (self._resolution, self._resolution)
        resized = interpolate(images, size, mode="bilinear", antialias=True)
        output = self._model(pixel_values=(resized - self._mean) / self._deviation)
        return normalize(output.last_hidden_state.float(), dim=-1)


def load_features(params: FeatureLoss, device: torch.device) -> Features:
    """Load the transformer that the settings name.

    Raises:
        ProjectError: if it cannot be loaded; names its folder.
    """
    try:
        model = AutoModel.from_pretrained(params.model, use_safetensors=True)
    except (OSError, ValueError) as error:
        raise ProjectError(
            f"train.end_to_end.features.model {params.model}: {one_line(error)}"
        ) from error
    return Features(model, params.resolution, device)
