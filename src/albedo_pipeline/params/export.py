"""Settings of `export`."""

from pydantic import Field

from albedo_pipeline.params.base import Params

_REPOSITORY = r"^[\w.-]+/[\w.-]+$"


class ExportParams(Params):
    """What only the user can say on the model card, and where the model is uploaded.

    Texts are shown as plain text: markdown and HTML in them have no effect.
    """

    title: str = Field("Albedo estimator", min_length=1)
    """Title of the model card."""
    dataset_name: str = Field("the project's own pairs", min_length=1)
    """Name of the data that the model was trained and measured on."""
    dataset_description: str | None = None
    """Description of the data; null: none."""
    datasets: tuple[str, ...] = ()
    """Hub ids of the data, if it is published there."""
    intended_use: str | None = None
    """What the model is for; null: a sentence about research and look development."""
    limits: str | None = None
    """What the model must not be used for or does badly, in addition to what the card says about
    every model; null: nothing."""
    authors: str | None = None
    """Authors of the model; null: the card does not say."""
    contact: str | None = None
    """How to reach the authors; null: the card does not say."""
    license: str = Field("other", min_length=1)
    """Licence of the weights, by the Hub's name for it, such as `apache-2.0` or `openrail++`."""
    license_name: str | None = None
    """Name of a licence that the Hub has no name for (`license: other`); null: not stated."""
    license_link: str | None = None
    """Address of the text of that licence; null: none."""
    push_to_hub: str | None = Field(None, pattern=_REPOSITORY)
    """Hub repository `owner/name` that the model is uploaded to; null: no upload."""
    private: bool = True
    """Whether the Hub repository is private, if the upload creates it."""
    space: bool = False
    """Whether the app of the model is written as well, as a folder that Hugging Face runs as a
    Space; it needs the extra `app`."""
