"""Settings of `sequence`."""

from pydantic import Field

from albedo_pipeline.params.base import Params


class SequenceParams(Params):
    """The camera move of the demo; scene and quality are those of `synthesize`."""

    frames: int = Field(24, ge=2, le=240)
    """Number of frames."""
    frames_per_second: float = Field(12, gt=0, le=60)
    """Frame rate of the video."""
    degrees: float = Field(24, gt=0, le=180)
    """Length of the camera's arc around what it looks at."""
    resolution: int = Field(64, ge=16, le=1024)
    """Width and height of the frames, pixels."""
