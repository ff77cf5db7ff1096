"""The moving average, by hand."""

import torch
from torch import nn

from albedo_pipeline.models.ema import Ema


def test_by_hand() -> None:
    model = nn.Linear(1, 1, bias=False)
    nn.init.constant_(model.weight, 1.0)
    ema = Ema(model, decay=0.5)
    nn.init.constant_(model.weight, 3.0)
    ema.update(model, step=1000)
    assert ema.model.weight.item() == 2.0
    ema.update(model, step=1001)
    assert ema.model.weight.item() == 2.5


def test_decay_warms_up() -> None:
    ema = Ema(nn.Linear(1, 1), decay=0.99)
    assert [round(ema.decay_at(step), 4) for step in (0, 8, 10**6)] == [0.1, 0.5, 0.99]


def test_the_shadow_is_apart_and_takes_no_gradient() -> None:
    model = nn.BatchNorm1d(2)
    ema = Ema(model, 0.9)
    model.running_mean += 1
    assert ema.model.running_mean.sum() == 0
    ema.update(model, 0)
    assert torch.equal(ema.model.running_mean, model.running_mean)
    assert not any(p.requires_grad for p in ema.model.parameters())
