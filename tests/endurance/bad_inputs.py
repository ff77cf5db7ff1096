"""Bad and unusual inputs, one by one: what the user sees of each.

    python -m tests.endurance.bad_inputs

Every pair goes through the reader, the normalising and the shards, as in `ingest`; the tests do
the same and compare (`tests/ingestion/test_bad_inputs.py`).
"""

import logging
import tempfile
from pathlib import Path

import pandas as pd

from tests.endurance import bad_input_runs as bad
from tests.endurance.bad_input_files import Case
from tests.endurance.bad_input_lists import LISTS, MEMBERS
from tests.endurance.bad_input_refused import REFUSED
from tests.endurance.bad_input_used import GOOD, USED


def told(case: Case, found: pd.Series) -> str:
    """A pair's outcome in words."""
    if found["reason"]:
        return f"quarantined: {found['reason']}"
    record = {"valid_share": 1.0} | case.record
    return "used: " + ", ".join(f"{name} {found[name]:.3g}" for name in record)


def full_disk(folder: Path) -> str:
    """What a user sees whose disk fills up."""
    project = bad.project_of(folder, GOOD)
    bad.ingest(project / "undisturbed", project / "raw" / "pairs.txt")
    return bad.error_on_a_full_disk(project, project / "undisturbed")


def table(folder: Path) -> list[tuple[str, str]]:
    """What each input is, and what the user sees."""
    result = bad.run_all(folder / "list")
    rows = [(c.what, told(c, result.found(c.kind))) for c in [*REFUSED, *USED]]
    archive = bad.run_archive(folder / "archive")
    rows += [(m.what, f"quarantined: {r}" if (r := archive[m.kind]) else "used") for m in MEMBERS]
    rows += [(c.what, f"stops: {bad.message_of(folder / 'lists', c)}") for c in LISTS]
    groups = bad.error_of(bad.project_of(folder / "groups", GOOD[:1]))
    return [
        *rows,
        ("fewer groups than splits", f"stops: {groups}"),
        ("disk that fills up", f"stops: {full_disk(folder / 'disk')}"),
    ]


def main() -> None:
    """Print the table."""
    logging.disable()
    with tempfile.TemporaryDirectory() as name:
        rows = table(Path(name))
    width = max(len(what) for what, _ in rows)
    for what, seen in rows:
        words = seen.replace(name, "…").replace("a" * 300, "a…")
        print(f"{what:{width}}  {words}")


if __name__ == "__main__":
    main()
