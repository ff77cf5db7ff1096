"""The registry finds metrics in their modules; each describes itself."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.evaluation.protocols import protocol
from albedo_pipeline.metrics import image, registry
from albedo_pipeline.metrics.base import MARIGOLD_IID, OURS
from albedo_pipeline.metrics.registry import image_metrics, quantities
from albedo_pipeline.reporting.formatting import label, main_measures

NEW_METRIC = """
from albedo_pipeline.metrics.base import Metric

{variable} = Metric(
    name="{name}",
    label="{label}",
    higher_is_better=False,
    function=lambda prediction, truth, valid: (prediction - truth).abs().amax(dim=(1, 2, 3)),
    colour_space="srgb",
)
"""


@pytest.fixture
def add_metric(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., None]]:
    """Adds a module with one metric to `metrics.image` for the length of the test."""
    monkeypatch.setattr(image, "__path__", [*image.__path__, str(tmp_path)])

    def add(module: str, name: str, label: str) -> None:
        code = NEW_METRIC.format(variable=module.upper(), name=name, label=label)
        (tmp_path / f"{module}.py").write_text(code, encoding="utf-8")
        registry.quantities.cache_clear()

    yield add
    registry.quantities.cache_clear()
    for file in tmp_path.glob("*.py"):
        sys.modules.pop(f"{image.__name__}.{file.stem}", None)
        vars(image).pop(file.stem, None)


def test_a_new_module_is_measured_last_and_shown(add_metric) -> None:
    add_metric("zzz_error", "zzz_error", "Largest error")  # the last name of all
    assert image_metrics(OURS)[-1].name == "zzz_error"
    names = [measure.name for measure in protocol(OURS, None).measures]
    assert names[names.index("psnr_aligned") - 1] == "zzz_error"
    assert names[-1] == "zzz_error_aligned_unmasked"
    assert label("zzz_error_unmasked") == "Largest error, all pixels"
    assert main_measures(["zzz_error", "psnr"]) == ["psnr"]
    assert "zzz_error" not in {m.metric.name for m in protocol(MARIGOLD_IID, None).measures}


def test_two_metrics_of_one_name_are_refused(add_metric) -> None:
    add_metric("other_psnr", "psnr", "Another PSNR")
    with pytest.raises(
        ProjectError, match=r"image\.psnr and .*image\.other_psnr both define 'psnr'; rename one"
    ):
        quantities()


DESCRIBED = {
    "psnr": ("PSNR", "dB", 2, True),
    "ssim": ("SSIM", "", 3, True),
    "lpips": ("LPIPS", "", 3, False),
    "rmse": ("RMSE", "", 3, False),
    "delta_e": ("ΔE00", "", 2, False),
    "lmse": ("LMSE", "", 3, False),
    "edge_error": ("Edge error", "", 3, False),
    "marigold_psnr": ("PSNR (Marigold)", "dB", 2, True),
    "marigold_ssim": ("SSIM (Marigold)", "", 3, True),
    "marigold_lpips": ("LPIPS (Marigold)", "", 3, False),
    "constancy": ("Constancy error", "", 3, False),
    "si_mse": ("si-MSE", "", 4, False),
    "si_mse_rgb": ("si-MSE, by channel", "", 4, False),
    "angular": ("Angular error", "°", 2, False),
    "aurc": ("AURC", "", 3, False),
    "aurc_oracle": ("AURC of the oracle", "", 3, False),
    "aurc_random": ("AURC of random order", "", 3, False),
    "aurc_excess": ("Excess AURC", "", 3, False),
    "whdr": ("WHDR", "", 3, False),
    "maw_intensity": ("MAW intensity error", "", 4, False),
    "maw_chromaticity": ("MAW chromaticity error, ΔE00", "", 2, False),
}
"""Label, unit, digits and direction by name; the first eleven are those that the report shows
first, in this order."""


@pytest.mark.parametrize("name", DESCRIBED)
def test_a_quantity_describes_itself(name: str) -> None:
    quantity = quantities()[name]
    shown = (quantity.label, quantity.unit, quantity.digits, quantity.higher_is_better)
    assert shown == DESCRIBED[name]


def test_the_report_shows_eleven_quantities_first() -> None:
    main = [name for name in main_measures(reversed(DESCRIBED)) if name in DESCRIBED]
    assert main == list(DESCRIBED)[:11]
