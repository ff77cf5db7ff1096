"""What all parameter models share."""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, PositiveInt, ValidationError

Device = Literal["auto", "cpu", "cuda"]
Precision = Literal["fp32", "bf16", "fp16"]
TrainingPrecision = Literal["fp32", "bf16"]
Channels = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
"""Channels of each level of a network, from the finest to the coarsest."""


class Params(BaseModel):
    """Frozen, and closed to unknown keys: a misspelt key fails before the first node runs."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Build the model.

        Raises:
            ValueError: one line with every key that is wrong, its value, and what is allowed.
        """
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise ValueError("; ".join(_complaint(cls, e) for e in error.errors())) from error


class PretrainedModel(Params):
    """A diffusers repository of the Hub, or a local folder."""

    model: str
    """Hub id, or the path of a folder."""
    revision: str | None = None
    """Commit of the Hub repository; a number that is quoted needs it."""


def check_groups(channels: tuple[int, ...], groups: int) -> None:
    """Raise ValueError where a level's channels cannot be normalised in `groups`."""
    if any(count % groups for count in channels):
        raise ValueError(f"block_out_channels must be multiples of norm_num_groups ({groups})")


def _complaint(model: type[Params], error: Any) -> str:
    """One of pydantic's errors, as `key: what is wrong (got value)`."""
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = ", ".join(_model_at(model, error["loc"][:-1]).model_fields)
        return f"{key}: no such key (got {error['input']!r}); known are {known}"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":  # of a whole model: its message names the values
        return f"{key}: {message}" if key else message
    return f"{key}: {message} (got {error['input']!r})"


def _model_at(model: type[Params], location: tuple) -> type[Params]:
    """The model that a nested key belongs to."""
    for part in location:
        annotation = model.model_fields[part].annotation
        candidates = (annotation, *get_args(annotation))
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, Params))
    return model
