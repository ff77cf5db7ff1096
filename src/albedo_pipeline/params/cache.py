"""Settings of the copies that training keeps of what it reads from object storage."""

from pydantic import Field

from albedo_pipeline.params.base import Params


class LatentCache(Params):
    """Copies of latents on the disk; without effect if the latents are on a disk themselves.

    They change no result.
    """

    gigabytes: float = Field(20, ge=0, allow_inf_nan=False)
    """Most that the copies take on each machine, in 10⁹ bytes; 0 keeps none. If it is less than
    the latents, the share that fits is kept, and the others are read from object storage in every
    epoch."""
    folder: str | None = None
    """Where they are kept; null: `~/.cache/albedo_pipeline/latents`, or `$XDG_CACHE_HOME` in
    place of `~/.cache`."""
