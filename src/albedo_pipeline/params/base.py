"""What the parameter models of all pipelines share."""

import re
from typing import Annotated, Any, Literal, Self, get_args

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, PositiveInt, ValidationError

Device = Literal["auto", "cpu", "cuda", "mps"]
"""Where the networks run; `auto` takes a GPU of CUDA if there is one, `mps` is Apple's."""
Precision = Literal["fp32", "tf32", "bf16", "fp16"]
"""Number format that the networks compute in; `tf32` is float32 whose products a GPU computes from
rounded inputs, several times faster; a CPU computes it as fp32."""
TrainingPrecision = Literal["fp32", "tf32", "bf16"]
"""Number format of a training that does not scale its loss, which fp16 would need."""


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"not a regular expression ({error})") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]
"""A regular expression that is searched in the name of a weight."""
Channels = Annotated[tuple[PositiveInt, ...], Field(min_length=1)]
"""Number of channels of each level of a network, from the finest to the coarsest."""


class Params(BaseModel):
    """Frozen settings without unknown keys: a misspelt key fails before the first node runs."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), use_attribute_docstrings=True
    )

    @classmethod
    def model_validate(cls, obj: Any, **options: Any) -> Self:
        """Build the model from the values of a parameters file.

        Raises:
            ValueError: if a key or value is wrong; its message is one line that names every wrong
                key, its value, and what is allowed.
        """
        try:
            return super().model_validate(obj, **options)
        except ValidationError as error:
            raise ValueError("; ".join(_error_line(cls, e) for e in error.errors())) from error


BUNDLED = "bundled"
"""Name of the estimator that ships with the package, wherever a setting names an estimator."""


class PretrainedModel(Params):
    """A diffusers model on the Hugging Face Hub or in a local folder."""

    model: str
    """Hub id `owner/name`, or the path of a folder."""
    revision: str | None = None
    """Commit of the Hub repository; null: the newest one. Set it if results will be published."""


def check_groups(channels: tuple[int, ...], groups: int) -> None:
    """Raise ValueError if the channels of a level cannot be divided into `groups` groups."""
    if any(count % groups for count in channels):
        raise ValueError(f"block_out_channels must be multiples of norm_num_groups ({groups})")


def _error_line(model: type[Params], error: Any) -> str:
    """One of pydantic's errors as `key: what is wrong (got value)`."""
    key = ".".join(str(part) for part in error["loc"])
    if error["type"] == "extra_forbidden":
        known = ", ".join(_model_at(model, error["loc"][:-1]).model_fields)
        return f"{key}: no such key (got {error['input']!r}); known keys are {known}"
    if error["type"] == "model_type":
        known = ", ".join(_model_at(model, error["loc"]).model_fields)
        return f"{key}: expected settings with the keys {known} (got {error['input']!r})"
    message = error["msg"].removeprefix("Value error, ")
    if error["type"] == "value_error":  # from a model's validator, whose message has the values
        return f"{key}: {message}" if key else message
    return f"{key}: {message} (got {error['input']!r})"


def _model_at(model: type[Params], location: tuple) -> type[Params]:
    """The model of the nested settings at `location`."""
    for part in location:
        if isinstance(part, int):  # an item of the list that the part before it names
            continue
        annotation = model.model_fields[part].annotation
        candidates = (annotation, *get_args(annotation))
        model = next(c for c in candidates if isinstance(c, type) and issubclass(c, Params))
    return model
