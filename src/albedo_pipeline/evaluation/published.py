"""Published numbers, and which of them may stand beside ours."""

from functools import cache
from pathlib import Path

import yaml
from pydantic import Field

from albedo_pipeline.params.base import Params

FILE = Path(__file__).parent / "published.yml"


class PublishedNumber(Params):
    """A number that somebody published."""

    model: str = Field(min_length=1)
    data_set: str = Field(min_length=1)
    split: str = Field(min_length=1)
    protocol: str = Field(min_length=1)
    """Name of the protocol; that of one of ours only if it is measured in that way."""
    metric: str = Field(min_length=1)
    """Key of the metric."""
    value: float
    """In the unit of our metric."""
    source: str = Field(min_length=1)
    """Where it was read."""

    def differences(self, data_set: str | None, split: str | None, protocol: str) -> list[str]:
        """What keeps it from standing beside our numbers; empty if nothing does."""
        ours = {"data_set": data_set, "split": split, "protocol": protocol}
        return [
            f"{key.replace('_', ' ')}: {getattr(self, key)}, not {value or 'stated here'}"
            for key, value in ours.items()
            if getattr(self, key) != value
        ]


@cache
def published_numbers() -> tuple[PublishedNumber, ...]:
    """All rows of `published.yml`."""
    rows = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return tuple(PublishedNumber.model_validate(row) for row in rows)


def published_beside(
    rows: tuple[PublishedNumber, ...], data_set: str | None, split: str | None, protocol: str
) -> dict[str, list[dict]]:
    """The rows as `beside`, which may stand beside our numbers, and `apart`, with what differs.

    Args:
        data_set, split: names of ours, as `published.yml` has them; None if they are none of these.
        protocol: name of our protocol.
    """
    beside, apart = [], []
    for row in rows:
        differences = row.differences(data_set, split, protocol)
        described = row.model_dump()
        if differences:
            apart.append(described | {"differs": "; ".join(differences)})
        else:
            beside.append(described)
    return {"beside": beside, "apart": apart}
