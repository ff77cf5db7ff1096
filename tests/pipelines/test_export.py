"""`export` as a user runs it; diffusers predicts from the folder what the project predicts."""

import json
import shutil
from functools import cache
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from diffusers import MarigoldIntrinsicsPipeline
from huggingface_hub import ModelCard

from albedo_pipeline.artifacts.exported_model import ExportedModelDataset
from albedo_pipeline.artifacts.models import AutoencoderDataset, DenoiserDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.autoencoder import with_standard_scale
from albedo_pipeline.models.export import Export
from albedo_pipeline.models.lora import has_lora
from albedo_pipeline.models.text_embedding import embed_empty_text
from albedo_pipeline.params import ExportParams
from albedo_pipeline.params.sampling import Sampling
from albedo_pipeline.pipelines.export.nodes import make_export
from albedo_pipeline.provenance.weights import encoder_digest
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.training.initial_denoiser import starting_denoiser
from albedo_pipeline.training.lineage import check_start
from tests.support.project import copied, error_of, run_in_process, run_kedro

DATA = Path("data/test")
EXPORT = DATA / "06_models/export"


@pytest.fixture(scope="module")
def adapted(finished_project: Path, tmp_path_factory) -> Path:
    """An exported project whose denoiser has low-rank adapters."""
    project = copied(finished_project, tmp_path_factory.mktemp("adapted"))
    lora = (
        "train.on_mismatch=restart,train.lora.rank=2,train.lora.alpha=4,evaluate.ensemble.members=1"
    )
    result = run_in_process(project, "--pipelines", "train,evaluate,export", "--params", lora)
    assert result.exit_code == 0, result.exception
    return project


@pytest.fixture
def project(finished_project: Path, tmp_path: Path) -> Path:
    return copied(finished_project, tmp_path)


@cache
def opened(project: Path) -> MarigoldIntrinsicsPipeline:
    pipeline = MarigoldIntrinsicsPipeline.from_pretrained(project / EXPORT, use_safetensors=True)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


def exported(project: Path, **params: str) -> Export:
    """Call the node on the project's files."""
    models, reporting = project / DATA / "06_models", project / DATA / "08_reporting"
    model = trained(project)
    return make_export(
        model.denoiser,
        model.autoencoder,
        LatentShards(project / DATA / "05_model_input/latents"),
        json.loads((reporting / "metrics.json").read_text()),
        json.loads((project / DATA / "03_primary/audit_summary.json").read_text()),
        json.loads((models / "train_settings.json").read_text()),
        project / "space",
        ExportParams(**params),
    )


def trained(project: Path) -> AlbedoModel:
    """The model from the catalog's entries, not from the export."""
    models = project / DATA / "06_models"
    denoiser = DenoiserDataset(filepath=str(models / "denoiser")).load()
    autoencoder = AutoencoderDataset(filepath=str(models / "albedo_autoencoder")).load()
    return AlbedoModel(denoiser, autoencoder)


@pytest.mark.slow
@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("size", [(32, 24), (17, 21)])
@pytest.mark.parametrize("which", ["exported_project", "adapted"])
def test_diffusers_predicts_what_the_estimator_does(
    which: str,
    size: tuple[int, int],
    steps: int,
    request: pytest.FixtureRequest,
) -> None:
    project = request.getfixturevalue(which)
    model = trained(project)
    assert has_lora(model.denoiser.unet) == (which == "adapted")
    estimator = Estimator.owning(model, torch.device("cpu"), Sampling(steps=steps))
    torch.manual_seed(5)
    images = torch.rand(1, 3, *size) * 2 - 1
    noise = torch.randn(1, 1, *estimator.latent_shape(*size))
    theirs = opened(project)(
        (images + 1) / 2,
        num_inference_steps=steps,
        latents=noise.flatten(0, 1),
        processing_resolution=0,
        output_type="pt",
    ).prediction
    ours = estimator.predict(images, noise).albedo
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_the_scale_of_the_latents_is_what_hosts_take_for_granted(exported_project: Path) -> None:
    own = trained(exported_project).autoencoder
    assert own.config.scaling_factor != 0.18215
    vae = opened(exported_project).vae
    assert (vae.config.scaling_factor, vae.config.shift_factor) == (0.18215, None)


def test_a_training_starts_from_an_export_of_another_scale(exported_project: Path) -> None:
    start = starting_denoiser(str(exported_project / EXPORT), 4)
    own = trained(exported_project).autoencoder
    assert start.made_from["encoder"] == encoder_digest(own)
    assert encoder_digest(with_standard_scale(own)) == start.made_from["exported_encoder"]
    assert start.made_from["exported_encoder"] != start.made_from["encoder"]
    check_start("export", start, own)
    check_start("export", start, with_standard_scale(own))
    torch.nn.init.ones_(own.encoder.conv_in.bias)
    with pytest.raises(ProjectError, match="learned the latents of another autoencoder"):
        check_start("export", start, own)


def test_the_text_encoder_gives_the_trained_embedding(exported_project: Path) -> None:
    pipeline = opened(exported_project)
    embedded = embed_empty_text(pipeline.text_encoder, pipeline.tokenizer)
    text_embedding = trained(exported_project).denoiser.text_embedding
    torch.testing.assert_close(embedded, text_embedding, atol=1e-6, rtol=0)


def test_the_defaults_of_the_folder_are_those_of_the_protocol(exported_project: Path) -> None:
    protocol = metrics_of(exported_project)["protocol"]
    pipeline = opened(exported_project)
    assert pipeline.default_denoising_steps == protocol["steps"]
    assert pipeline.default_processing_resolution == 32
    image = torch.rand(1, 3, 48, 40)
    prediction = pipeline(image).prediction
    shown = pipeline.image_processor.visualize_intrinsics(prediction, pipeline.target_properties)
    assert shown[0]["albedo"].size == (40, 48)
    model = ExportedModelDataset(filepath=str(exported_project / EXPORT)).load()
    assert (model.targets, model.albedo, model.space) == (1, 0, "srgb")


@pytest.mark.parametrize(
    "which", ["exported_project", pytest.param("adapted", marks=pytest.mark.slow)]
)
def test_the_folder_has_no_pickle_and_no_path_of_this_machine(
    which: str, request: pytest.FixtureRequest
) -> None:
    project = request.getfixturevalue(which)
    files = [path for path in (project / EXPORT).rglob("*") if path.is_file()]
    binary = {".safetensors", ".png"}
    assert {path.suffix for path in files} <= {".json", ".txt", ".md", ".py"} | binary
    texts = [path.read_text() for path in files if path.suffix not in binary]
    assert not any(str(project) in text for text in texts)


def metrics_of(project: Path) -> dict:
    return json.loads((project / DATA / "08_reporting/metrics.json").read_text())


def test_the_card_has_the_measured_numbers(exported_project: Path) -> None:
    card = ModelCard.load(exported_project / EXPORT / "README.md")
    measured = {
        name: score["mean"] for name, score in metrics_of(exported_project)["test"]["model"].items()
    }
    assert {r.metric_type: r.metric_value for r in card.data.eval_results} == measured
    assert metrics_of(exported_project)["protocol"]["fingerprint"] in card.text
    assert f"**{measured['psnr']:.2f}**" in card.text or f" {measured['psnr']:.2f}<br>" in card.text


def test_the_run_ends_by_naming_the_folder(exported_project: Path) -> None:
    lines = (exported_project / "run.log").read_text().strip().splitlines()[-3:]
    ready = f"The model is ready: {exported_project / EXPORT}"
    assert any(line.endswith(ready) for line in lines)


def test_a_new_export_replaces_the_old_one(exported_project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported_project / EXPORT, tmp_path / "export"))
    ExportedModelDataset(filepath=str(folder)).save(exported(exported_project, title="Second"))
    assert "# Second\n" in (folder / "README.md").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def test_an_interrupted_write_keeps_the_old_folder(exported_project: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(exported_project / EXPORT, tmp_path / "export"))

    class Interrupted:
        def save_pretrained(self, folder: Path, **_: object) -> None:
            (folder / "model_index.json").write_text("{}")
            raise KeyboardInterrupt

    class Half:
        pipeline = Interrupted()

    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    with pytest.raises(KeyboardInterrupt):
        ExportedModelDataset(filepath=str(folder)).save(Half())
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in tmp_path.iterdir()] == ["export"]


def emptied(file: Path) -> None:
    file.write_text("{}")


def of_another_denoiser(file: Path) -> None:
    metrics = json.loads(file.read_text())
    metrics["lineage"]["denoiser"] = "0123"
    file.write_text(json.dumps(metrics))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (
            emptied,
            r"metrics: damaged, or from an earlier version: .* run the pipeline evaluate again",
        ),
        (of_another_denoiser, r"metrics: not made from the denoiser at hand \(0123 there, "),
    ],
)
def test_unusable_metrics_are_named(project: Path, damage, message: str) -> None:
    damage(project / DATA / "08_reporting/metrics.json")
    with pytest.raises(ProjectError, match=message):
        exported(project)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("03_primary/audit_summary.json", "audit_summary: damaged, or from an earlier version"),
        ("06_models/train_settings.json", "denoiser: not made from the train_settings at hand"),
    ],
)
def test_unusable_records_are_named(project: Path, file: str, message: str) -> None:
    emptied(project / DATA / file)
    with pytest.raises(ProjectError, match=message):
        exported(project)


def test_a_failed_export_is_one_line_and_leaves_nothing(project: Path) -> None:
    file = project / DATA / "08_reporting/metrics.json"
    file.write_text(file.read_text()[:100])
    assert "metrics.json" in error_of(project, "--pipelines", "export")
    assert not (project / EXPORT).exists()


class Hub(BaseHTTPRequestHandler):
    """A Hub that records every request and refuses it."""

    requests: list[tuple[str, dict]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.requests.append((self.path, json.loads(body)))
        self.send_response(403)
        self.end_headers()
        self.wfile.write(b'{"error": "not yours"}')

    def log_message(self, *_: object) -> None:
        """Log nothing."""


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> list:
    Hub.requests = []
    server = HTTPServer(("127.0.0.1", 0), Hub)
    Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("HF_TOKEN", "hf_none")
    yield Hub.requests
    server.shutdown()
    server.server_close()


PUSH = ("--from-nodes", "export.publish", "--params", "export.push_to_hub=someone/albedo")


@pytest.mark.slow
def test_a_refused_upload_is_one_line_and_the_folder_stays(
    exported_project: Path, hub: list
) -> None:
    # A process of its own, because huggingface_hub reads its settings when it is imported.
    result = run_kedro(exported_project, "run", "--pipelines", "export", *PUSH)
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    line = result.stderr.strip().splitlines()[-1]
    assert "export.push_to_hub someone/albedo: not uploaded (" in line
    assert str(EXPORT) in line
    path, body = hub[0]
    assert path == "/api/repos/create"
    assert (body["name"], body["organization"]) == ("albedo", "someone")
    assert body["visibility"] == "private"
    assert (exported_project / EXPORT / "model_index.json").is_file()


def test_a_wrong_name_of_a_repository() -> None:
    with pytest.raises(ValueError, match="push_to_hub"):
        ExportParams(push_to_hub="nowhere")
