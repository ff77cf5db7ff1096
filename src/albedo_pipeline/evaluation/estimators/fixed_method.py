"""A method without learning as an estimator."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from albedo_pipeline.evaluation.baselines import Baseline
from albedo_pipeline.evaluation.estimators.base import Batch, Predicted
from albedo_pipeline.imaging.pixels import dequantize
from albedo_pipeline.params.base import Params
from albedo_pipeline.provenance.lineage import content_digest


@dataclass(frozen=True)
class FixedMethod:
    """Applies the method to one image at a time."""

    method: Baseline
    about: dict[str, object]
    digests: dict[str, str]

    @classmethod
    def of(cls, method: Baseline, name: str, settings: Params) -> Self:
        """The method with the settings that the table shows."""
        options = settings.model_dump(mode="json")
        return cls(method, {"model": name, **options}, {"settings": content_digest(options)})

    def predict(self, batch: Batch) -> Predicted:
        """See `AlbedoEstimator`."""
        beauty, truth = (
            dequantize(images).transpose(0, 2, 3, 1) for images in (batch.beauty, batch.albedo)
        )
        rows = zip(beauty, truth, batch.valid[:, 0], strict=True)
        return Predicted(np.stack([self.method(*row).transpose(2, 0, 1) for row in rows]))
