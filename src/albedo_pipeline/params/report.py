"""Settings of `report`."""

from pydantic import Field

from albedo_pipeline.params.base import Params


class ReportParams(Params):
    """What the report shows."""

    title: str = "Albedo estimator"
    """Title of the report."""
    gallery: int = Field(12, ge=1, le=200)
    """Number of test samples in the gallery, spread evenly from the best to the worst by PSNR."""
    compare: str | None = None
    """Folder with the `metrics.json` and `per_sample.parquet` of another run, which the report
    compares with this one; null: no comparison."""
