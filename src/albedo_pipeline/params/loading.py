"""Settings of how stored weights are put into a network."""

from pydantic import Field

from albedo_pipeline.params.base import Params, Pattern


class WeightLoading(Params):
    """How stored weights are put into a network that has other names, or other parts.

    A weight that is missing, or has another shape, and is not ignored, stops the run.
    """

    map: dict[str, str] = Field({})
    """Beginning of names in the network: beginning of the same names in the model that is loaded,
    such as `{"decoder.": "model.decoder."}`. The longest one that fits a name is used; `""` fits
    all names."""
    ignore: tuple[Pattern, ...] = ()
    """Weights of the network that are not loaded but begin with random values: those in whose names
    any of these regular expressions is found."""


DEFAULT_LOADING = WeightLoading()
"""All weights are loaded by their own names."""
