"""Bad and unusual inputs, run as `ingest` runs them."""

import resource
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from kedro.io import DatasetError

from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.audit import audit_of
from albedo_pipeline.preprocessing.ingest import PairBuild
from albedo_pipeline.preprocessing.manifest import manifest_of, quarantine_of
from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.readers.manifest_table import ManifestTableDataset
from albedo_pipeline.readers.pair_files import sample_id_of
from albedo_pipeline.shards.datasets import PairShardsDataset
from albedo_pipeline.shards.pair_shards import PairShards
from tests.endurance.bad_input_files import SIDE, Case, rewritten
from tests.endurance.bad_input_lists import MEMBERS, ListCase, write_archive
from tests.endurance.bad_input_refused import REFUSED
from tests.endurance.bad_input_used import GOOD, USED
from tests.support.project import new_project, run_kedro

CATALOG = """
raw_pairs:
  type: albedo_pipeline.readers.filename_list.FilenameListDataset
  filepath: raw/pairs.txt
pairs:
  type: albedo_pipeline.shards.datasets.PairShardsDataset
  filepath: pairs
  samples_per_shard: 8
"""
PARAMS = IngestParams(resolution=SIDE, max_quarantined_share=0.95)


@dataclass(frozen=True)
class Outcome:
    """What became of the pairs of a list."""

    ids: dict[str, str]
    """Sample of each kind."""
    pairs: PairShards
    manifest: pd.DataFrame
    audit: pd.DataFrame
    """Indexed by the sample."""

    def found(self, kind: str) -> pd.Series:
        """The audit's row of a kind."""
        return self.audit.loc[self.ids[kind]]


def write_list(folder: Path, cases: Iterable[Case]) -> dict[str, str]:
    """Write the pairs into `raw` and list them; the sample of each kind."""
    lines, ids = [], {}
    for case in cases:
        (folder / "raw" / case.kind).mkdir(parents=True)
        names = case.make(folder / "raw" / case.kind)
        lines.append(" ".join('"' + name.replace('"', '""') + '"' for name in names) + "\n")
        ids[case.kind] = sample_id_of(names[0])
    (folder / "raw" / "pairs.txt").write_text("".join(lines), encoding="utf-8")
    return ids


def ingest(folder: Path, listed: Path, **options) -> PairShards:
    """The reader, the normalising and the shards, in one run."""
    dataset = PairShardsDataset(filepath=str(folder / "pairs"), samples_per_shard=8)
    reader = FilenameListDataset(filepath=str(listed), **options)
    dataset.save(PairBuild(reader.load(), PARAMS))
    return dataset.load()


def outcome(folder: Path, ids: dict[str, str]) -> Outcome:
    """Ingest the list of `write_list`, and describe the pairs."""
    pairs = ingest(folder, folder / "raw" / "pairs.txt")
    manifest = manifest_of(pairs, PARAMS.split)
    audit = audit_of(pairs, manifest, quarantine_of(pairs))
    return Outcome(ids, pairs, manifest, audit.set_index("sample_id", drop=False))


def run_all(folder: Path) -> Outcome:
    """All pairs as one list, one of them rewritten all the while."""
    ids = write_list(folder, [*GOOD, *REFUSED, *USED])
    changing = folder / "raw" / "rewritten" / "albedo.exr"
    with rewritten(changing) if changing.exists() else nullcontext():
        return outcome(folder, ids)


def run_archive(folder: Path) -> dict[str, str]:
    """All members as one list; the reason of each kind, "" if it is used."""
    pairs = ingest(folder, write_archive(folder), root="images.tar")
    reasons = {item.sample_id: item.reason for item in pairs.rejected}
    used = dict.fromkeys(pairs.scalars["sample_id"].to_pylist(), "")
    return {m.kind: (reasons | used)[sample_id_of(m.name)] for m in MEMBERS}


def message_of(folder: Path, case: ListCase) -> str:
    """What stops a run with this list."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / case.name
    path.write_text(case.content, encoding="utf-8")
    reader = FilenameListDataset if path.suffix == ".txt" else ManifestTableDataset
    try:
        reader(filepath=str(path)).load()
    except DatasetError as error:  # Kedro's; the command line shows its cause
        return str(error.__cause__)
    return "nothing"


def project_of(folder: Path, cases: Iterable[Case]) -> Path:
    """A project that reads these pairs."""
    write_list(new_project(folder), cases)
    (folder / "conf" / "test" / "catalog.yml").write_text(CATALOG, encoding="utf-8")
    return folder


def error_of(project: Path) -> str:
    """The one error line of a `kedro run` that must fail."""
    result = run_kedro(project, "run", "--pipelines", "ingest", "--params", "ingest.resolution=16")
    assert result.returncode == 1, result.stderr
    assert "Traceback" not in result.stderr
    message = result.stderr[result.stderr.rindex("Error: ") :].strip()
    assert "\n" not in message
    return message.removeprefix("Error: ")


@contextmanager
def list_cut_off(path: Path, lines: int) -> Iterator[None]:
    """Only the first lines of a list."""
    whole = path.read_text(encoding="utf-8")
    path.write_text("".join(whole.splitlines(keepends=True)[:lines]), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(whole, encoding="utf-8")


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of the shards' folder."""
    return {path.name: path.read_bytes() for path in (folder / "pairs").iterdir()}


def error_on_a_full_disk(project: Path, undisturbed: Path) -> str:
    """The error line where the largest of the undisturbed run's shards cannot be written."""
    sizes = [path.stat().st_size for path in (undisturbed / "pairs").glob("*.arrow")]
    old = resource.getrlimit(resource.RLIMIT_FSIZE)  # Python ignores its signal
    resource.setrlimit(resource.RLIMIT_FSIZE, (max(sizes) - 1000, old[1]))
    try:
        return error_of(project)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, old)
