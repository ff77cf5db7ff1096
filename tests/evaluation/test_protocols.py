"""What each protocol measures, and in which order."""

from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.protocols import protocol
from albedo_pipeline.metrics.base import MARIGOLD_IID, OURS

SCALE_DEPENDENT = ["psnr", "ssim", "rmse", "delta_e", "edge_error"]
SCALE_INVARIANT = ["si_mse", "si_mse_rgb", "lmse", "angular"]


def ours(scale_dependent: list[str]) -> list[str]:
    """The columns of the project's own protocol."""
    measured = [*scale_dependent, *SCALE_INVARIANT]
    masked = [*measured, *(f"{name}_aligned" for name in scale_dependent)]
    return [*masked, *(f"{name}_unmasked" for name in masked)]


def marigold(names: list[str]) -> list[str]:
    return [*names, *(f"{name}_unmasked" for name in names)]


@pytest.mark.parametrize(
    ("name", "with_lpips", "expected"),
    [
        (OURS, False, ours(SCALE_DEPENDENT)),
        (OURS, True, ours(["psnr", "ssim", "rmse", "delta_e", "lpips", "edge_error"])),
        (MARIGOLD_IID, False, marigold(["marigold_psnr", "marigold_ssim"])),
        (MARIGOLD_IID, True, marigold(["marigold_psnr", "marigold_ssim", "marigold_lpips"])),
    ],
)
def test_measures_keep_their_names_and_order(
    name: str, with_lpips: bool, expected: list[str], lpips_file: Path
) -> None:
    """Metrics that are added later may stand between them, but change none of them."""
    measures = protocol(name, lpips_file if with_lpips else None).measures
    assert [measure.name for measure in measures if measure.name in expected] == expected


def test_lpips_is_measured_with_the_weights_of_the_file(lpips_file: Path, noisy_images) -> None:
    measures = {measure.name: measure for measure in protocol(OURS, lpips_file).measures}
    assert measures["lpips"].metric.function(*noisy_images(0)).isfinite().all()
    assert "lpips" not in {measure.name for measure in protocol(OURS, None).measures}


def test_unusable_lpips_weights_are_named(tmp_path: Path) -> None:
    file = tmp_path / "lpips.safetensors"
    for make in (lambda: None, file.mkdir):
        make()
        with pytest.raises(
            ProjectError, match=r"evaluate.lpips_weights: .*lpips.safetensors: no such file"
        ):
            protocol(OURS, file)
