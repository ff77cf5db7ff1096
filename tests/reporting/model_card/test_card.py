"""The model card: the Hub can read it, and text from data or settings is escaped."""

import pytest
import yaml
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.params import ExportParams, TrainParams
from albedo_pipeline.reporting.model_card.card import model_card

SCORE = {"mean": 20.5, "low": 19.0, "high": 21.25, "n": 6}
NASTY = 'x: "y" | <b>bold</b> [a](http://b) *c* `d` &amp; $e$\n---\n# f'
SHOWN = 'x: "y" | <b>bold</b> [a](http://b) *c* `d` &amp; $e$ --- # f'
SCRATCH = TrainParams(
    source="scratch",
    max_steps=9,
    effective_batch_size=2,
    micro_batch_size=1,
    learning_rate={"peak": 1e-3},
)
PRETRAINED = {"source": "pretrained", "pretrained": {"model": "someone/sd"}, "scratch": None}


def metrics(**changes) -> dict:
    scores = {
        "n": 6,
        "model": {"psnr": SCORE, "psnr_unmasked": SCORE},
        "beauty_as_albedo": {"psnr": SCORE | {"mean": 11.5}},
        "autoencoder_roundtrip": {"psnr": SCORE | {"mean": 35.5}},
    }
    ensemble = {"kind": "noise", "members": 2}
    protocol = {"name": "p|q", "fingerprint": "abc123", "steps": 4, "mask": "<i>"}
    protocol |= {"ensemble": ensemble}
    return {"protocol": protocol, "lineage": {"denoiser": "1"}, "test": scores} | changes


AUDIT = {
    "quarantined": 1,
    "splits": {"train": {"samples": 26, "groups": 13}, "test": {"samples": 6, "groups": 3}},
    "flags": {"leaks": 0, "clipped_beauty": 17},
}


def made(settings: dict | None = None, **params) -> str:
    train = SCRATCH.model_dump(mode="json") | (settings or {})
    return model_card(metrics(), AUDIT, train, 64, ExportParams(**params))


def html(card: str) -> str:
    """The card without its front matter, rendered as on GitHub."""
    return MarkdownIt("commonmark").enable("table").render(ModelCard(card).text)


def test_the_hub_can_read_the_front_matter() -> None:
    data = ModelCard(made(title="A model", datasets=("a/b",))).data
    assert (data.library_name, data.pipeline_tag) == ("diffusers", "image-to-image")
    assert (data.license, data.license_name) == ("other", "not-stated")
    assert data.datasets == ["a/b"]
    assert data.base_model is None
    result = data.eval_results[0]
    assert (result.metric_type, result.metric_value, result.dataset_split) == ("psnr", 20.5, "test")
    assert data.model_name == "A model"


def test_a_pretrained_model_names_its_base() -> None:
    card = made(PRETRAINED)
    assert ModelCard(card).data.base_model == "someone/sd"
    assert "huggingface.co/someone/sd" in card


def test_a_local_base_model_is_not_named(tmp_path) -> None:
    card = made(PRETRAINED | {"pretrained": {"model": str(tmp_path)}})
    assert ModelCard(card).data.base_model is None
    assert str(tmp_path) not in card


def test_the_table_has_model_baseline_and_ceiling() -> None:
    page = html(made())
    for text in ("<strong>20.50</strong>", "19.00–\u206021.25", "11.50", "35.50", "abc123"):
        assert text in page, text
    assert "clipped beauty 17" in page


@pytest.mark.parametrize(
    "field",
    ["title", "dataset_name", "dataset_description", "intended_use", "limits", "authors"],
)
def test_markup_in_settings_is_escaped(field: str) -> None:
    card = made(**{field: NASTY})
    assert ModelCard(card).data.pipeline_tag == "image-to-image"
    page = html(card)
    shown = SHOWN.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert shown.replace('"', "&quot;") in page
    assert "<b>" not in page
    assert 'href="http://b"' not in page


def test_a_title_with_markup_is_unchanged_in_the_front_matter() -> None:
    front = yaml.safe_load(made(title=NASTY).split("\n---\n")[0].removeprefix("---\n"))
    assert front["model-index"][0]["name"] == SHOWN


def test_markup_in_the_protocol_is_escaped() -> None:
    page = html(made())
    assert "<td>p|q</td>" in page
    assert "<td>&lt;i&gt;</td>" in page


@pytest.mark.parametrize("key", ["splits", "quarantined", "flags"])
def test_a_missing_key_is_an_error_of_one_line(key: str) -> None:
    audit = {name: value for name, value in AUDIT.items() if name != key}
    train = SCRATCH.model_dump(mode="json")
    with pytest.raises(ProjectError, match=key) as raised:
        model_card(metrics(), audit, train, 64, ExportParams())
    assert "\n" not in str(raised.value)


def test_metrics_without_a_split_are_an_error() -> None:
    train = SCRATCH.model_dump(mode="json")
    with pytest.raises(ProjectError, match="no split was evaluated"):
        model_card({"protocol": {}, "lineage": {}}, AUDIT, train, 64, ExportParams())
