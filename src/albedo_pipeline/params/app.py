"""Settings of `app`."""

from pydantic import Field

from albedo_pipeline.params.base import Params


class AppParams(Params):
    """Where the app is served, and what its users may do."""

    host: str = Field("127.0.0.1", min_length=1)
    """Address that the app listens on. `127.0.0.1` is this machine alone; `0.0.0.0` is every
    network that the machine belongs to, and needs the token."""
    port: int = Field(7860, ge=0, le=65535)
    """Port that the app listens on; 0 takes a free one."""
    token: str | None = Field(None, min_length=12, coerce_numbers_to_str=True)
    """What a browser must give once, as `?token=…` in the address; null: a random one for each run
    if `host` is not this machine alone, or else none."""
    public: bool = False
    """Whether everybody who reaches the address may use the app, without a token."""
    model: str | None = None
    """The model that is chosen at first, as in `predict.model`; null: the project's own export if
    there is one, or else `bundled`."""
    choose_model: bool = True
    """Whether users may choose another model, by its folder or Hub id."""
    max_megapixels: float = Field(24, gt=0, le=1000)
    """Size above which an image is refused before it is loaded into memory, megapixels."""
    queue_size: int = Field(20, ge=1)
    """Largest number of predictions that wait; one is made at a time."""
    training: bool = True
    """Whether the tab that shows and pauses the running training is there."""
