"""LPIPS with random weights, compared with torch.nn's layers; its mask and its weights file."""

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from albedo_pipeline.metrics.image.lpips import LPIPS, lpips_distance
from albedo_pipeline.metrics.image.marigold import MARIGOLD_LPIPS


def distance_maps(weights, first, second) -> list[torch.Tensor]:
    """Equation 1 of the paper before its spatial mean, with the layers of torchvision."""
    layers = nn.Sequential(
        nn.Conv2d(3, 64, 11, stride=4, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(64, 192, 5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(3, 2),
        nn.Conv2d(192, 384, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(384, 256, 3, padding=1),
        nn.ReLU(),
        nn.Conv2d(256, 256, 3, padding=1),
        nn.ReLU(),
    )
    start = "features."
    layers.load_state_dict({k[len(start) :]: v for k, v in weights.items() if k.startswith(start)})
    shift = torch.tensor([-0.030, -0.088, -0.188])[:, None, None]
    scale = torch.tensor([0.458, 0.448, 0.450])[:, None, None]
    x, y = ((2 * image.float() - 1 - shift) / scale for image in (first, second))
    maps = []
    for layer in layers:
        x, y = layer(x), layer(y)
        if isinstance(layer, nn.ReLU):
            units = [nn.functional.normalize(image, dim=1, eps=1e-10) for image in (x, y)]
            head = weights[f"lin{len(maps)}.model.1.weight"].flatten()
            maps.append(torch.einsum("c,bchw->bhw", head, (units[0] - units[1]) ** 2)[:, None])
    return maps


@torch.no_grad()
def test_it_is_the_mean_of_the_upsampled_maps(lpips_weights, lpips_file, noisy_images) -> None:
    prediction, truth, valid = noisy_images(0, side=67)
    upsample = nn.Upsample(size=(67, 67), mode="bilinear")
    expected = sum(upsample(m).mean() for m in distance_maps(lpips_weights, prediction, truth))
    score = LPIPS.with_weights(lpips_file).function(prediction, truth, valid).item()
    assert score == pytest.approx(expected.item(), rel=1e-4)


@torch.no_grad()
def test_the_distance_of_the_loss_is_the_mean_of_the_maps(lpips_weights, noisy_images) -> None:
    first, second, _ = noisy_images(4, side=67)
    expected = sum(m.mean() for m in distance_maps(lpips_weights, first, second))
    distance = lpips_distance(lpips_weights, first, second)
    assert distance.tolist() == pytest.approx([expected.item()], rel=1e-4)


@torch.no_grad()
def test_marigolds_is_the_mean_of_the_maps_with_black_masked_pixels(
    lpips_weights, lpips_file, noisy_images
) -> None:
    prediction, truth, valid = noisy_images(1, side=67)
    valid[..., :20] = False
    encoded = [(image * valid) ** (1 / 2.2) for image in (prediction, truth)]
    expected = sum(m.mean() for m in distance_maps(lpips_weights, *encoded))
    score = MARIGOLD_LPIPS.with_weights(lpips_file).function(prediction, truth, valid).item()
    assert score == pytest.approx(expected.item(), rel=1e-4)


def test_images_that_differ_only_at_masked_pixels_score_zero(lpips_file, noisy_images) -> None:
    _, truth, valid = noisy_images(2, side=64)
    prediction = truth.clone()
    prediction[..., 20:40, 20:40] = 0
    lpips = LPIPS.with_weights(lpips_file).function
    assert lpips(truth, truth, valid).item() == 0
    assert lpips(prediction, truth, valid).item() > 0.01
    valid[..., 20:40, 20:40] = False
    assert lpips(prediction, truth, valid).item() == 0


def test_an_image_too_small_for_the_network_gives_nan(lpips_file, noisy_images) -> None:
    assert LPIPS.with_weights(lpips_file).function(*noisy_images(3, side=30)).isnan().all()
    assert LPIPS.with_weights(lpips_file).function(*noisy_images(3, side=31)).isfinite().all()


def test_other_tensors_in_the_file_are_ignored(lpips_weights, tmp_path) -> None:
    path = tmp_path / "more.safetensors"
    save_file({**lpips_weights, "classifier.1.bias": torch.zeros(4)}, path)
    assert LPIPS.with_weights(path).name == "lpips"


@pytest.mark.parametrize("metric", [LPIPS, MARIGOLD_LPIPS], ids=lambda metric: metric.name)
def test_the_error_names_a_missing_file(metric, tmp_path) -> None:
    with pytest.raises(ValueError, match=r"nowhere\.safetensors"):
        metric.with_weights(tmp_path / "nowhere.safetensors")


def test_the_error_names_a_file_that_is_not_safetensors(tmp_path) -> None:
    (tmp_path / "alex.pth").write_bytes(b"not safetensors at all")
    with pytest.raises(ValueError, match=r"alex\.pth"):
        LPIPS.with_weights(tmp_path / "alex.pth")


def test_the_error_names_a_missing_tensor(lpips_weights, tmp_path) -> None:
    path = tmp_path / "headless.safetensors"
    save_file({k: v for k, v in lpips_weights.items() if k != "lin3.model.1.weight"}, path)
    with pytest.raises(ValueError, match=r"headless\.safetensors.*lin3\.model\.1\.weight"):
        LPIPS.with_weights(path)


def test_the_error_names_a_tensor_of_another_shape(lpips_weights, tmp_path) -> None:
    path = tmp_path / "vgg.safetensors"
    save_file({**lpips_weights, "features.0.weight": torch.zeros(64, 3, 3, 3)}, path)
    with pytest.raises(ValueError, match=r"features\.0\.weight.*\(64, 3, 3, 3\)"):
        LPIPS.with_weights(path)
