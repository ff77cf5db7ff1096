"""Digests of weights: equal for models that predict the same, different for all others."""

from copy import deepcopy

import torch
from diffusers import AutoencoderKL, DDIMScheduler

from albedo_pipeline.provenance.weights import (
    autoencoder_digest,
    configuration,
    denoiser_digest,
    encoder_digest,
    tensors_digest,
    weights_digest,
)


def test_the_order_of_the_tensors_does_not_matter() -> None:
    tensors = {"a": torch.arange(3.0), "b": torch.ones(2, dtype=torch.bfloat16)}
    assert tensors_digest(tensors.items()) == tensors_digest(reversed(tensors.items()))


def test_name_type_shape_and_every_bit_count() -> None:
    zeros = torch.zeros(4)
    others = [
        ("a", zeros),
        ("b", zeros),
        ("a", zeros.int()),
        ("a", zeros.reshape(2, 2)),
        ("a", -zeros),
    ]
    assert len({tensors_digest([item]) for item in others}) == len(others)


def test_a_view_has_the_digest_of_its_copy() -> None:
    view = torch.arange(6.0).reshape(2, 3).T
    assert tensors_digest([("a", view)]) == tensors_digest([("a", view.clone())])


def test_buffers_count_as_parameters_do() -> None:
    model = torch.nn.BatchNorm2d(2)
    before = weights_digest(model)
    assert weights_digest(deepcopy(model)) == before
    model.running_mean.add_(1)
    assert weights_digest(model) != before


def test_a_denoiser_is_weights_schedule_and_text() -> None:
    unet, scheduler, text = torch.nn.Linear(2, 2), DDIMScheduler(), torch.zeros(1, 2, 8)
    other_unet = torch.nn.Linear(2, 2)
    other_scheduler = DDIMScheduler(timestep_spacing="trailing")
    digests = [
        denoiser_digest(unet, scheduler, text),
        denoiser_digest(other_unet, scheduler, text),
        denoiser_digest(unet, other_scheduler, text),
        denoiser_digest(unet, scheduler, text + 1),
    ]
    assert len(set(digests)) == 4
    assert denoiser_digest(deepcopy(unet), DDIMScheduler(), text.clone()) == digests[0]


def test_a_configuration_does_not_say_where_it_was_loaded_from(tmp_path) -> None:
    DDIMScheduler().save_pretrained(tmp_path)
    loaded = DDIMScheduler.from_pretrained(tmp_path)
    assert configuration(loaded) == configuration(DDIMScheduler())


def test_an_autoencoder_is_weights_and_scale_and_its_encoder_a_part_of_them(
    autoencoder: AutoencoderKL, tmp_path
) -> None:
    def digests(change) -> tuple[str, str]:
        changed = deepcopy(autoencoder)
        change(changed)
        return autoencoder_digest(changed), encoder_digest(changed)

    autoencoder.save_pretrained(tmp_path)
    both = (autoencoder_digest(autoencoder), encoder_digest(autoencoder))
    loaded = AutoencoderKL.from_pretrained(tmp_path)
    assert (autoencoder_digest(loaded), encoder_digest(loaded)) == both
    decoder = digests(lambda model: torch.nn.init.ones_(model.decoder.conv_out.bias))
    assert decoder[0] != both[0]
    assert decoder[1] == both[1]
    for change in (
        lambda model: torch.nn.init.ones_(model.quant_conv.bias),
        lambda model: model.register_to_config(scaling_factor=0.5),
    ):
        assert not set(digests(change)) & set(both)
