"""The objective `end_to_end`: what enters its loss, and what its model ignores."""

from pathlib import Path

import pytest
import torch
from transformers import Dinov2Config, Dinov2Model

from albedo_pipeline.artifacts.models import DenoiserDataset
from albedo_pipeline.errors import ProjectError
from albedo_pipeline.inference.estimator import Estimator
from albedo_pipeline.models.albedo_model import AlbedoModel
from albedo_pipeline.models.autoencoder import decoder_parameters
from albedo_pipeline.models.export import intrinsics_pipeline
from albedo_pipeline.models.lora import has_lora
from albedo_pipeline.params.sampling import Sampling
from albedo_pipeline.runtime.distributed import accelerated
from albedo_pipeline.training.denoiser import new_stream
from albedo_pipeline.training.denoiser_components import prepare
from albedo_pipeline.training.initial_denoiser import initial_denoiser
from albedo_pipeline.training.objectives.end_to_end import crops
from tests.support.training import END_TO_END

PLAIN = {"objective": "end_to_end", "flip_probability": 0.0}


@pytest.fixture
def losses(latents, images, train_params):
    """Losses of the first effective batch, changed by a function, at a given step."""

    def first(changes: dict, change=lambda batch: batch, step: int = 0, places=range(4)):
        params = train_params(**PLAIN | changes)
        stream = new_stream({"latents": latents}, images, params)
        with accelerated("cpu", "fp32", deterministic=False) as accelerator:
            components = prepare(
                accelerator, initial_denoiser(params, 4), images.autoencoder, params
            )
            batch = change(stream.batch(step, places))
            return components.objective.losses(components.model, batch, step)

    return first


def spoilt(batch):
    """The batch with nonsense in every masked pixel of the albedo."""
    batch.albedo.copy_(torch.where(batch.valid.bool(), batch.albedo, torch.nan))
    return batch


@pytest.mark.parametrize(
    "terms",
    [
        {"kind": "l1", "gradient_weight": 0},
        {"kind": "mse", "gradient_weight": 0},
        {"kind": "huber", "gradient_weight": 0},
        {"pixel_weight": 0, "gradient_weight": 1},
        {"pixel_weight": 0, "gradient_weight": 0, "ssim_weight": 1},
    ],
)
def test_masked_pixels_do_not_reach_loss_and_gradient(losses, terms: dict) -> None:
    clean, dirty = (losses({"end_to_end": terms}, change) for change in (lambda b: b, spoilt))
    assert clean.total > 0
    assert torch.equal(clean.total, dirty.total)
    dirty.total.backward()


def test_the_count_is_that_of_the_valid_pixels_in_the_decoded_crops(losses) -> None:
    counts = []

    def counted(batch):
        counts.append(float(batch.valid.sum()))
        return batch

    assert losses({}, counted).count == counts[0]
    crop = losses({"end_to_end": {"decoded_crop": 8}}, counted)
    assert 0 < crop.count < counts[1]


def test_a_weight_may_vary_with_the_step(losses) -> None:
    """The batch is that of step 4 each time, so only the weights differ."""
    step, fixed = 4, {"gradient_weight": 0.5, "ssim_weight": 0.25}
    varying = {"gradient_weight": [2, 0.75, 0.25, 6], "ssim_weight": [4, 0.25, 0.5, 9]}
    one, two = (losses({"end_to_end": terms}, step=step) for terms in (fixed, varying))
    assert torch.equal(one.total, two.total)
    late = losses({"end_to_end": {"pixel_weight": [0, 1, 0, 4], "gradient_weight": 0}}, step=step)
    assert late.total == 0
    assert late.part_totals[1] > 0


def test_the_losses_of_the_parts_of_a_batch_add_up(losses) -> None:
    whole = losses(END_TO_END)
    parts = [losses(END_TO_END, places=places) for places in (range(2), range(2, 4))]
    for name in ("total", "count", "part_totals", "part_counts"):
        added = sum(getattr(part, name) for part in parts)
        torch.testing.assert_close(added, getattr(whole, name), rtol=1e-6, atol=0)


def test_until_it_decodes_the_loss_is_the_latent_term_alone(losses) -> None:
    terms = {"latent_weight": 2.0, "decode_from_step": 3}
    before, after = (losses({"end_to_end": terms}, step=step) for step in (2, 3))
    assert before.total.item() == pytest.approx(2 * float(before.part_totals[0]))
    assert before.part_counts.count_nonzero() == 1
    assert after.part_counts.count_nonzero() == 3


def test_light_pairs_show_the_same_scene_twice(latents, images, train_params) -> None:
    terms = {"constancy_weight": 1.0, "decoded_crop": 8}
    params = train_params(**PLAIN | {"end_to_end": terms, "augmentation": {"crop": 12}})
    stream = new_stream({"latents": latents}, images, params)
    paired = 0
    for step in range(6):
        batch = stream.batch(step, range(4))
        assert not batch.is_second[::2].any()
        for second in batch.is_second.nonzero().flatten().tolist():
            assert torch.equal(batch.albedo[second], batch.albedo[second - 1])
            assert not torch.equal(batch.beauty[second], batch.beauty[second - 1])
            assert torch.equal(batch.window[second], batch.window[second - 1])
            paired += 1
    assert paired > 6


def test_the_prediction_does_not_depend_on_the_noise(train) -> None:
    done = train("run", **END_TO_END | {"max_steps": 5})
    assert done.denoiser.ignores_noise
    estimator = Estimator.owning(
        AlbedoModel(done.denoiser, done.autoencoder), torch.device("cpu"), Sampling()
    )
    beauty = torch.rand(1, 3, 16, 16) * 2 - 1
    one, two = (estimator.predict(beauty, torch.randn(1, 1, 4, 8, 8)).albedo for _ in "ab")
    assert torch.equal(one, two)


@pytest.mark.parametrize("size", [(16, 16), (17, 21)])
def test_diffusers_gives_our_answer_with_any_generator(train, size: tuple[int, int]) -> None:
    done = train("run", **END_TO_END | {"max_steps": 5, "train_decoder": {"ratio": 1.0}})
    images = torch.rand(1, 3, *size) * 2 - 1
    model = AlbedoModel(done.denoiser, done.autoencoder)
    estimator = Estimator.owning(model, torch.device("cpu"), Sampling())
    noise = torch.zeros(1, 1, *estimator.latent_shape(*size))
    ours = estimator.predict(images, noise).albedo
    pipeline = intrinsics_pipeline(done.denoiser, done.autoencoder, None, 1, 16)
    pipeline.set_progress_bar_config(disable=True)
    for seed in range(3):
        theirs = pipeline(
            (images + 1) / 2,
            generator=torch.Generator().manual_seed(seed),
            processing_resolution=0,
            output_type="pt",
        ).prediction
        torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


def test_more_than_one_step_is_refused(train) -> None:
    done = train("run", **END_TO_END)
    model = AlbedoModel(done.denoiser, done.autoencoder)
    with pytest.raises(ProjectError, match="trained end to end and predicts in one step"):
        Estimator.owning(model, torch.device("cpu"), Sampling(steps=4))


def test_only_a_decoder_that_is_trained_changes_and_never_the_encoder(train, images) -> None:
    before = {name: p.clone() for name, p in images.autoencoder.named_parameters()}
    still = train("still", **END_TO_END).autoencoder.state_dict()
    assert all(torch.equal(still[name], weight) for name, weight in before.items())
    settings = END_TO_END | {"train_decoder": {"ratio": 1.0}, "max_steps": 5}
    trained = train("trained", **settings).autoencoder
    decoder = decoder_parameters(trained)
    changed = {n for n, p in trained.named_parameters() if not torch.equal(p, before[n])}
    assert changed
    assert changed <= set(decoder)


def test_it_learns(train) -> None:
    log = train(
        "run",
        **PLAIN,
        max_steps=60,
        learning_rate={"peak": 3e-3, "warmup_steps": 5},
        end_to_end={"latent_weight": 0.3},
    ).log
    assert log["loss"].tail(10).mean() < 0.87 * log["loss"].head(5).mean()
    assert {"loss_latent", "loss_pixels", "loss_gradients"} <= set(log)


def test_adapters_are_trained_and_ignore_the_noise_too(train) -> None:
    done = train("run", **END_TO_END | {"lora": {"rank": 2}})
    assert has_lora(done.denoiser.unet)
    assert done.denoiser.ignores_noise


def test_gradient_checkpointing_changes_nothing(train) -> None:
    settings = END_TO_END | {"train_decoder": {"ratio": 0.5}}
    plain = train("plain", **settings).log["loss"].tolist()
    execution = {"gradient_checkpointing": True}
    assert train("saved", **settings, execution=execution).log["loss"].tolist() == plain


def test_it_starts_from_an_earlier_denoiser(train, tmp_path: Path) -> None:
    first = train("first").denoiser
    folder = str(tmp_path / "denoiser")
    DenoiserDataset(filepath=folder).save(first)
    rate = {"peak": 1e-12, "warmup_steps": 0, "decay": "constant"}
    settings = PLAIN | {"start_from": folder, "learning_rate": rate}
    second = train("second", **settings).denoiser
    assert second.ignores_noise
    # Adam moves every weight by about the learning rate.
    assert torch.allclose(
        second.unet.conv_out.weight, first.unet.conv_out.weight, rtol=0, atol=1e-8
    )
    DenoiserDataset(filepath=folder).save(train("other", seed=9).denoiser)
    with pytest.raises(ProjectError, match=r"train\.start_from: '\w+' there, '\w+' here"):
        train("second", **settings, max_steps=4)


def test_features_of_a_vision_transformer(losses, tmp_path: Path) -> None:
    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=28, patch_size=14
    )
    Dinov2Model(config).save_pretrained(tmp_path / "dino")
    features = {"model": str(tmp_path / "dino"), "weight": 0.5, "resolution": 28}
    terms = {"pixel_weight": 0, "gradient_weight": 0, "features": features}
    clean, dirty = (losses({"end_to_end": terms}, change) for change in (lambda b: b, spoilt))
    assert clean.total > 0
    assert torch.equal(clean.total, dirty.total)
    with pytest.raises(ProjectError, match=r"train\.end_to_end\.features\.model"):
        losses({"end_to_end": terms | {"features": features | {"model": str(tmp_path)}}})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"noise_schedule": {"prediction_type": "epsilon"}}, "'v_prediction' or 'sample'"),
        ({"end_to_end": {"pixel_weight": 0, "gradient_weight": 0}}, "at least one weight"),
        ({"end_to_end": {"decode_from_step": 3}}, "decode_from_step needs latent_weight"),
        (
            {"end_to_end": {"constancy_weight": 1}, "micro_batch_size": 1},
            "needs an even micro_batch_size",
        ),
        ({"objective": "diffusion", "train_decoder": {}}, "train_decoder needs objective"),
        (
            {
                "end_to_end": {"pixel_weight": 0, "gradient_weight": 0, "latent_weight": 1},
                "train_decoder": {},
            },
            "a loss of decoded pixels",
        ),
        ({"validation": {"steps": 4}}, "predicts in one step"),
        ({"validation": {"ensemble": {"members": 3}}}, "must be 'augmentation'"),
        ({"lora": {"target_modules": ["conv_in"]}}, "would let the noise in"),
        ({"augmentation": {"crop_scale": [1, 2]}}, "crop_scale needs crop"),
    ],
)
def test_settings_that_do_not_agree_are_refused(train_params, settings, message) -> None:
    with pytest.raises(ValueError, match=message):
        train_params(**PLAIN | settings)


def test_settings_of_the_other_objective_do_not_matter(train_params) -> None:
    one = train_params(**PLAIN).result_settings(3)
    assert one == train_params(**PLAIN, loss={"kind": "l1"}).result_settings(3)
    plain = train_params().result_settings(3)
    assert plain == train_params(end_to_end={"kind": "mse"}).result_settings(3)


def test_crops_are_the_squares_at_their_corners() -> None:
    images = torch.rand(3, 2, 8, 10)
    corners = torch.tensor([[0, 0], [3, 5], [2, 1]])
    cut = crops(images, corners, (5, 5))
    for image, square, (top, left) in zip(images, cut, corners.tolist(), strict=True):
        assert torch.equal(square, image[:, top : top + 5, left : left + 5])
    assert crops(images, corners, (8, 10)) is images
