"""Damages what each stage reads, in every way, and shows whether the stage uses it.

    python -m tests.endurance.damage [--stage NAME ...] [--kind NAME ...] [--projects FOLDER]

Each cell of the table is a run of one stage in a copy of a finished project in which one result
was damaged. `refused` is one line of error and a non-zero exit; `remade` is a run that leaves the
bytes of an undamaged one; `USED` is any other run that succeeds; `TRACEBACK` is an error that is no
line. `-` is a damage that the result cannot have, or a result of another run that the stage may
take. The lines follow the table, each with the cells that it comes from. The program exits with 1
if a cell is USED or a TRACEBACK.
"""

import argparse
import hashlib
import logging
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.endurance.not_finite import NOT_FINITE
from tests.support.damage import flip_bytes, truncate
from tests.support.project import new_project, run_in_process

DATA = Path("data/test")
CHECKPOINTS = "06_models/checkpoints"
MAKING = "ingest,autoencoder,encode,train,evaluate,export"
"""The pipelines that make all results but the report, which no stage reads."""
NODES = {"report": "report.write_report"}
"""The node of a stage that reads all that its other nodes read, if there is one; the others, which
draw figures, take ten times as long."""
STAGES = ("ingest", "autoencoder", "encode", "train", "evaluate", "report", "export", "predict")
VARIANTS = {
    "sound": "",
    "earlier": "ingest.exposure.policy=none,train.seed=5",
    "other": "synthesize.seed=12,train.seed=4",
}
"""Projects, and what changes their settings: the undamaged one, the same one with earlier settings,
and one of other raw data."""


@dataclass(frozen=True)
class Result:
    """A result of a stage, which other stages read."""

    path: str
    """File or folder, relative to the project's data."""
    read_by: tuple[str, ...]
    """Stages that read it; the one that writes it is among them if it continues from it."""
    file: str = ""
    """Pattern of the file in the folder that is damaged; the largest match is taken, and the last
    one of these."""
    taken_by: tuple[str, ...] = ()
    """Stages that take it from any run: what they make from it says so."""
    same: str = ""
    """File or folder that a remaking leaves as it was, if it is another one."""

    def damaged_file(self, project: Path) -> Path:
        """The file that is damaged."""
        path = project / DATA / self.path
        found = path.glob(self.file) if self.file else [path]
        return max(found, key=lambda file: (file.stat().st_size, file))  # the newest checkpoint


RESULTS = (
    Result("03_primary/pairs", ("ingest", "autoencoder", "encode", "train", "evaluate"), "*.arrow"),
    Result("03_primary/manifest.parquet", ("autoencoder", "encode", "train", "evaluate", "report")),
    Result("03_primary/audit.parquet", ("report",)),
    Result("03_primary/quarantine.parquet", ("report",)),
    Result("03_primary/audit_summary.json", ("report", "export")),
    Result("05_model_input/latents", ("encode", "train", "export"), "*.arrow"),
    Result("06_models/autoencoder", ("encode", "train"), "*.safetensors", ("encode",)),
    Result("08_reporting/autoencoder_report.json", ("report",)),
    Result(CHECKPOINTS, ("train",), "*/ema.safetensors", same="06_models/denoiser"),
    Result("06_models/denoiser", ("evaluate", "export"), "unet/*.safetensors"),
    Result("06_models/albedo_autoencoder", ("evaluate", "export"), "*.safetensors"),
    Result("06_models/training_log.parquet", ("report",)),
    Result("06_models/train_settings.json", ("report", "export")),
    Result("07_model_output/predictions", ("report",), "*.arrow"),
    Result("08_reporting/per_sample.parquet", ("report",)),
    Result("08_reporting/risk_coverage.parquet", ("report",)),
    Result("08_reporting/metrics.json", ("report", "export")),
    Result("06_models/export", ("predict",), "unet/*.safetensors", ("predict",)),
)

Projects = dict[str, Path]
Damage = Callable[[Result, Path, Projects], bool]
"""Damages a result in a project, or returns False if it cannot be damaged so."""


def in_the_file(change: Callable[[Path], object]) -> Damage:
    """Damage of one file."""

    def damage(result: Result, project: Path, projects: Projects) -> bool:
        change(result.damaged_file(project))
        return True

    return damage


def from_variant(name: str) -> Damage:
    """The result of another project in its place."""

    def damage(result: Result, project: Path, projects: Projects) -> bool:
        path, source = project / DATA / result.path, projects[name] / DATA / result.path
        if path.is_file():
            shutil.copy(source, path)
        else:
            shutil.rmtree(path)
            shutil.copytree(source, path)
        return digests(path) != digests(projects["sound"] / DATA / result.path)

    return damage


def not_finite(result: Result, project: Path, projects: Projects) -> bool:
    """NaN among the values, in a file that is otherwise sound."""
    file = result.damaged_file(project)
    return NOT_FINITE[file.suffix](project / DATA / result.path, file)


KINDS: dict[str, Damage] = {
    "flipped bytes": in_the_file(flip_bytes),
    "truncated": in_the_file(truncate),
    "deleted": in_the_file(Path.unlink),
    "earlier settings": from_variant("earlier"),
    "another run": from_variant("other"),
    "not finite": not_finite,
}

FROM_OTHER_RUNS = ("earlier settings", "another run")


def digests(path: Path) -> dict[str, str]:
    """Digest of each file, by its path in a folder."""
    files = [path] if path.is_file() else sorted(p for p in path.rglob("*") if p.is_file())
    return {str(f.relative_to(path)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def run(project: Path, stage: str, changes: str = "") -> tuple[int, str]:
    """Run pipelines; returns the exit code, and the line or the type of the error."""
    images = f"predict.input={DATA}/01_raw/rendered/*/scene-00000/view-00_beauty.exr"
    changes = ",".join(filter(None, (changes, images)))
    nodes = ("--nodes", NODES[stage]) if stage in NODES else ()
    result = run_in_process(project, "--pipelines", stage, *nodes, "--params", changes)
    if result.exit_code and not isinstance(result.exception, SystemExit):
        return result.exit_code, f"TRACEBACK {type(result.exception).__name__}: {result.exception}"
    return result.exit_code, result.stderr.rpartition("Error: ")[2].strip()


def make_projects(folder: Path) -> Projects:
    """Run everything in each project that is not in the folder yet."""
    projects = {name: folder / name for name in VARIANTS}
    for name, project in projects.items():
        if not project.exists():
            making = folder / f".{name}"
            shutil.rmtree(making, ignore_errors=True)
            if name == "earlier":  # of the same raw data
                shutil.copytree(projects["sound"], making)
            else:
                making.mkdir(parents=True)
                new_project(making)
            pipelines = MAKING if name == "earlier" else f"synthesize,{MAKING}"
            restart = "train.on_mismatch=restart"
            code, line = run(making, pipelines, f"{VARIANTS[name]},{restart}".strip(","))
            assert code == 0, line
            making.rename(project)
    return projects


def check_undamaged(stage: str, folder: Path, projects: Projects) -> None:
    """End the program if a stage refuses undamaged results, which would explain every refusal."""
    project = Path(shutil.copytree(projects["sound"], folder / "project"))
    code, line = run(project, stage)
    shutil.rmtree(project)
    if code:
        sys.exit(f"{stage} fails with undamaged results: {line}")


def outcome(stage: str, result: Result, kind: str, folder: Path, projects: Projects) -> str:
    """What a stage makes of a damaged result, in a word, with the line of its error."""
    project = Path(shutil.copytree(projects["sound"], folder / "project"))
    try:
        is_taken = kind in FROM_OTHER_RUNS and stage in result.taken_by
        if is_taken or not KINDS[kind](result, project, projects):
            return "-"
        if stage == "train" and result.path != CHECKPOINTS:  # a finished training reads nothing
            shutil.rmtree(project / DATA / CHECKPOINTS)
        code, line = run(project, stage)
        if code:
            return line if line.startswith("TRACEBACK") else f"refused: {line}"
        path = result.same or result.path
        wanted, left = (digests(p / DATA / path) for p in (projects["sound"], project))
        return "remade" if wanted.items() <= left.items() else "USED"
    finally:
        shutil.rmtree(project)


def main() -> None:
    """Print the table and the lines, and exit with 1 if a cell is USED or a TRACEBACK."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stage", nargs="+", choices=STAGES, default=STAGES)
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=[*KINDS])
    parser.add_argument("--projects", type=Path, help="where the projects are made, and kept")
    options = parser.parse_args()
    logging.disable()
    cells: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        projects = make_projects(options.projects or folder / "projects")
        print(f"{'':48}", *(f"{kind:16}" for kind in options.kind), flush=True)
        for stage in options.stage:
            check_undamaged(stage, folder, projects)
            for result in (result for result in RESULTS if stage in result.read_by):
                print(f"{stage:12} {result.path:35}", end="", flush=True)
                for kind in options.kind:
                    line = outcome(stage, result, kind, folder, projects).replace(name, "…")
                    cells.setdefault(line, []).append(f"{stage}, {result.path}, {kind}")
                    print(f" {line.split(':')[0].split(' ')[0]:16}", end="", flush=True)
                print()
    for line, where in cells.items():
        if ":" in line:
            more = f" and {len(where) - 1} more" if len(where) > 1 else ""
            print(f"\n{where[0]}{more}:\n    {line}")
    sys.exit(any(line.startswith(("USED", "TRACEBACK")) for line in cells))


if __name__ == "__main__":
    main()
