"""Settings of `export`."""

from pydantic import Field

from albedo_pipeline.params.base import Params

_REPOSITORY = r"^[\w.-]+/[\w.-]+$"


class ExportParams(Params):
    """What the model card says that no file of the project knows, and where it is uploaded to.

    Texts are shown as they are: markdown and HTML in them have no effect.
    """

    title: str = Field("Albedo estimator", min_length=1)
    dataset_name: str = Field("the project's own pairs", min_length=1)
    """Of the data that it was trained and measured on."""
    dataset_description: str | None = None
    datasets: tuple[str, ...] = ()
    """Hub ids of the data, where it is published there."""
    intended_use: str | None = None
    limits: str | None = None
    """What it must not be used for, or does badly, besides what the card says of every model."""
    authors: str | None = None
    contact: str | None = None
    license: str = Field("other", min_length=1)
    """Hub's name of the licence of the weights, such as `apache-2.0` or `openrail++`."""
    license_name: str | None = None
    """Name of a licence that the Hub has none for (`license: other`)."""
    license_link: str | None = None
    push_to_hub: str | None = Field(None, pattern=_REPOSITORY)
    """Hub repository `owner/name` that the folder is uploaded to; null: none."""
    private: bool = True
    """Whether a repository that is created is private."""
