"""Learned perceptual distance (LPIPS 0.1 on AlexNet, Zhang et al. 2018), over the valid pixels.

The weights are not part of this project. `weights_file` is a safetensors file with the tensors of
two published state dicts, under their original names:

    features.{0,3,6,8,10}.{weight,bias}   torchvision's AlexNet (ImageNet, IMAGENET1K_V1)
    lin{0,1,2,3,4}.model.1.weight         lpips/weights/v0.1/alex.pth of the package `lpips`

Other tensors in the file (AlexNet's classifier) are ignored.
"""

from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch.linalg import vector_norm
from torch.nn.functional import conv2d, interpolate, max_pool2d, relu

from albedo_pipeline.metrics.base import Metric
from albedo_pipeline.metrics.masked import masked, masked_mean

# Mean and standard deviation of ImageNet for inputs in [-1, 1], from `ScalingLayer` of the paper's
# code.
SHIFT = (-0.030, -0.088, -0.188)
SCALE = (0.458, 0.448, 0.450)
LAYERS = {  # shape of the weight, stride, padding; AlexNet pools before layers 3 and 6
    0: ((64, 3, 11, 11), 4, 2),
    3: ((192, 64, 5, 5), 1, 2),
    6: ((384, 192, 3, 3), 1, 1),
    8: ((256, 384, 3, 3), 1, 1),
    10: ((256, 256, 3, 3), 1, 1),
}
SMALLEST = 31  # pixels; a shorter side leaves nothing after the second pooling

Weights = dict[str, torch.Tensor]


def load_weights(weights_file: Path) -> Weights:
    """The network's tensors by name, float32.

    Raises:
        ValueError: if the file cannot be read, or a tensor is missing or has another shape.
    """
    if not weights_file.is_file():
        raise ValueError(f"{weights_file}: no such file")
    try:
        stored = load_file(weights_file)
    except (OSError, SafetensorError) as error:
        raise ValueError(f"{weights_file}: not a readable safetensors file ({error})") from error
    weights = {}
    for key, shape in _shapes().items():
        if key not in stored:
            raise ValueError(f"{weights_file}: no tensor {key!r}, needed for LPIPS")
        if tuple(stored[key].shape) != shape:
            raise ValueError(
                f"{weights_file}: {key!r} has shape {tuple(stored[key].shape)}, LPIPS needs {shape}"
            )
        weights[key] = stored[key].float()
    return weights


def _shapes() -> dict[str, tuple[int, ...]]:
    shapes: dict[str, tuple[int, ...]] = {}
    for index, (layer, (shape, _, _)) in enumerate(LAYERS.items()):
        shapes[f"features.{layer}.weight"] = shape
        shapes[f"features.{layer}.bias"] = shape[:1]
        shapes[f"lin{index}.model.1.weight"] = (1, shape[0], 1, 1)
    return shapes


@torch.no_grad()
def masked_lpips(
    weights: Weights, prediction: torch.Tensor, truth: torch.Tensor, valid: torch.Tensor
) -> torch.Tensor:
    """Mean of the spatial distance map over the valid pixels; [B].

    The network also sees the surroundings of every pixel, so masked pixels need a colour. In both
    images they get the mean valid colour of the truth: the two do not differ there, and edges stay
    weak. Each layer's map is resized to the image (bilinear), as in the paper's code with
    `spatial=True`. NaN also for images with a side below 31 pixels.

    Args:
        prediction, truth: sRGB-encoded in [0, 1], [B, 3, H, W].
        valid: bool, [B, 1, H, W].
    """
    if min(valid.shape[-2:]) < SMALLEST:
        return torch.full((len(valid),), torch.nan, dtype=torch.float64)
    count = valid.sum(dim=(1, 2, 3)).clamp_min(1).view(-1, 1, 1, 1)
    mean = masked(truth, valid).sum(dim=(2, 3), keepdim=True) / count
    images = (torch.where(valid, image.double(), mean) for image in (prediction, truth))
    maps = layer_maps(weights, *images)
    size = tuple(valid.shape[-2:])
    large = (interpolate(m, size, mode="bilinear", align_corners=False) for m in maps)
    return masked_mean(sum(large, torch.zeros(())), valid)


def lpips_distance(weights: Weights, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """The paper's distance (eq. 1): the mean of each layer's map, summed over the layers; [B].

    Differentiable, for a loss. Images and weights are on one device.

    Args:
        first, second: sRGB-encoded, [B, 3, H, W], values in [0, 1] or a little outside; no side is
            below 31 pixels.
    """
    means = [layer.mean(dim=(1, 2, 3)) for layer in layer_maps(weights, first, second)]
    return torch.stack(means).sum(dim=0)


def layer_maps(weights: Weights, first: torch.Tensor, second: torch.Tensor) -> list[torch.Tensor]:
    """For each layer the weighted squared difference of unit-length features, [B, 1, h, w]."""
    maps = []
    pairs = zip(_features(weights, first), _features(weights, second), strict=True)
    for index, (x, y) in enumerate(pairs):
        maps.append(conv2d((_unit(x) - _unit(y)).square(), weights[f"lin{index}.model.1.weight"]))
    return maps


def _features(weights: Weights, images: torch.Tensor) -> list[torch.Tensor]:
    """The five activations of AlexNet; images in [0, 1]."""
    shift, scale = (
        torch.tensor(values, device=images.device).view(1, 3, 1, 1) for values in (SHIFT, SCALE)
    )
    x = (2 * images.float() - 1 - shift) / scale
    features = []
    for layer, (_, stride, padding) in LAYERS.items():
        if layer in (3, 6):
            x = max_pool2d(x, kernel_size=3, stride=2)
        weight, bias = (weights[f"features.{layer}.{name}"] for name in ("weight", "bias"))
        x = relu(conv2d(x, weight, bias, stride=stride, padding=padding))
        features.append(x)
    return features


def _unit(features: torch.Tensor) -> torch.Tensor:
    # If all features are 0, the gradient of `vector_norm` is 0, and that of a root not finite.
    return features / (vector_norm(features, dim=1, keepdim=True) + 1e-10)


LPIPS = Metric(
    name="lpips",
    label="LPIPS",
    higher_is_better=False,
    main_order=30,
    function=masked_lpips,
    colour_space="srgb",
    order=50,
    load_weights=load_weights,
)
