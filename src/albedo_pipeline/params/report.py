"""Settings of `report`."""

from pydantic import Field

from albedo_pipeline.params.base import Params


class ReportParams(Params):
    """What the report shows."""

    title: str = "Albedo estimator"
    gallery: int = Field(12, ge=1, le=200)
    """Test samples shown, spread evenly from the best to the worst by PSNR."""
    compare: str | None = None
    """Folder of another run's reports (its `metrics.json` and `per_sample.parquet`), to stand
    beside this one's."""
