"""Checks what `dvc repro` runs again after a change, after a kill, and after a pull.

    python -m tests.endurance.dvc_reruns [--quick] [--remote URL]

The program works in a clone of this repository, with the settings of conf/test. It runs all stages,
pushes the data, deletes them and pulls them, after which nothing may run. Then it makes one change
after another, compares the stages that are out of date by it with the expected ones, runs `dvc
repro`, and compares the stages that ran. Last, it kills a training under DVC and continues it. It
takes about five minutes, and exits with 1 if anything is not as expected. `--quick` runs the stages
after one change only, and leaves out the kill: it takes about two minutes. The credentials of a
remote come from the environment.
"""

import argparse
import hashlib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
CODE = Path("src/albedo_pipeline")
AFTER_INGEST = [
    "ingest",
    "autoencoder",
    "encode",
    "train",
    "evaluate",
    "sequence",
    "report",
    "export",
]
AFTER_TRAIN = AFTER_INGEST[3:]

Change = Callable[[Path], None]


def appended(file: str, text: str) -> Change:
    """A change that adds a line at the end of a file."""

    def change(repository: Path) -> None:
        path = repository / file
        path.write_text(f"{path.read_text()}\n{text}\n")

    return change


def replaced(file: str, old: str, new: str) -> Change:
    """A change that replaces the first match of the pattern `old` in a file."""

    def change(repository: Path) -> None:
        path = repository / file
        assert re.search(old, path.read_text()), f"{file}: no {old}"
        path.write_text(re.sub(old, new, path.read_text(), count=1))

    return change


class Case(NamedTuple):
    """A change, and what DVC must make of it."""

    change: Change
    out_of_date: list[str]
    """The stages that depend on what changed."""
    run: list[str]
    """The stages that run: those and the later ones whose inputs they change."""


CASES: dict[str, Case] = {
    "nothing": Case(lambda _: None, [], []),
    "a line of the docs": Case(appended("docs/evaluation.md", "More."), [], []),
    "the code of a reader that is not used": Case(
        appended(f"{CODE}/readers/hypersim.py", "#"), [], []
    ),
    "the code of the renderer": Case(
        appended(f"{CODE}/rendering/textures.py", "#"),
        ["synthesize", "sequence"],
        ["synthesize", "sequence"],
    ),
    "the code of encode": Case(
        appended(f"{CODE}/pipelines/encode/nodes.py", "#"), ["encode"], ["encode"]
    ),
    "the code of the training": Case(  # the report shows its speed, which changes with every run
        appended(f"{CODE}/training/trainer.py", "#"),
        ["autoencoder", "train"],
        ["autoencoder", "train", "report"],
    ),
    "the code of predict": Case(
        appended(f"{CODE}/inference/predict_job.py", "#"),
        ["evaluate", "sequence"],
        ["evaluate", "sequence"],
    ),
    "the report's title": Case(
        replaced("conf/base/parameters_report.yml", "title: .*", "title: Another"),
        ["report"],
        ["report"],
    ),
    "the code of a metric": Case(
        appended(f"{CODE}/metrics/image/lmse.py", "#"),
        ["evaluate", "sequence", "report", "export"],
        ["evaluate", "sequence", "report", "export"],
    ),
    "DDIM steps": Case(
        replaced("conf/test/parameters_evaluate.yml", "steps: .*", "steps: 3"),
        ["evaluate", "sequence", "report"],
        ["evaluate", "sequence", "report", "export"],
    ),
    "the learning rate": Case(
        replaced("conf/test/parameters_train.yml", "peak: [^,]*", "peak: 2.0e-3"),
        ["train"],
        AFTER_TRAIN,
    ),
    "the exposure policy": Case(
        appended("conf/test/parameters_ingest.yml", "  exposure: {policy: none}"),
        ["ingest", "sequence", "report"],
        AFTER_INGEST,
    ),
}
"""The changes by name."""
RUN_IN_QUICK = "the code of encode"
"""The change after which `--quick` runs the stages: one, whose output stays the same."""


def new_repository(folder: Path) -> Path:
    """A clone of this repository, in which DVC runs conf/test."""
    run(folder, "git", "clone", "--quiet", str(ROOT), "repository")
    repository = folder / "repository"
    (repository / "conf/test/globals.yml").unlink()  # dvc.yaml has the data folder of conf/base
    replaced("params.yaml", "env: base", "env: test")(repository)
    return repository


def environment(repository: Path) -> dict[str, str]:
    """An environment with the commands of this Python and the package of the clone."""
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    package = str(repository / "src")
    return os.environ | {"PATH": commands, "PYTHONPATH": package, "OMP_NUM_THREADS": "1"}


def run(folder: Path, *command: str) -> str:
    """Run a command to its end, and return its standard output.

    Raises:
        RuntimeError: if it fails.
    """
    result = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    if result.returncode:
        output = f"{result.stdout}{result.stderr}"
        raise RuntimeError(f"{' '.join(command)}: exit code {result.returncode}\n{output}")
    return result.stdout


def repro(repository: Path, *options: str) -> tuple[list[str], float]:
    """The stages that `dvc repro` ran, and the seconds that it took."""
    start = time.monotonic()
    output = run(repository, "dvc", "repro", *options)
    return re.findall(r"Running stage '(\w+)'", output), time.monotonic() - start


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file in a folder, by the file's name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def is_expected(
    event: str, ran: list[str], expected: list[str], seconds: float, verb: str = "ran"
) -> bool:
    """Print which stages ran, and return whether they are the expected ones."""
    print(f"{event}: {', '.join(ran) or 'nothing'} {verb}, {seconds:.0f} s", flush=True)
    if ran != expected:
        print(f"    EXPECTED {', '.join(expected) or 'nothing'}", flush=True)
    return ran == expected


def check_changes(repository: Path, quick: bool) -> bool:
    """Make each change alone, and undo it before the next one."""
    passed = True
    for name, case in CASES.items():
        case.change(repository)
        out_of_date, seconds = repro(repository, "--dry")
        stages = sorted(out_of_date), sorted(case.out_of_date)
        passed &= is_expected(name, *stages, seconds, "would run first")
        is_run = not quick or name == RUN_IN_QUICK
        if is_run:
            ran, seconds = repro(repository)
            passed &= is_expected(name, ran, case.run, seconds)
        run(repository, "git", "checkout", "--quiet", ".")
        if is_run:
            run(repository, "dvc", "checkout", "--quiet")
    return passed


def check_kill(repository: Path) -> bool:
    """Kill a training under DVC; continued, it must end with the weights of an undisturbed one."""
    denoiser = repository / "data/06_models/denoiser"
    replaced("conf/test/parameters_train.yml", "seed: .*", "seed: 5")(repository)
    replaced("conf/test/parameters_train.yml", "max_steps: .*", "max_steps: 150")(repository)
    repro(repository)
    undisturbed = digests(denoiser)
    run(repository, "git", "checkout", "--quiet", "dvc.lock")
    run(repository, "dvc", "checkout", "--quiet")
    shutil.rmtree(repository / ".dvc/cache/runs")  # otherwise DVC takes the result from its cache
    command = subprocess.Popen(
        ["dvc", "repro"],
        cwd=repository,
        env=environment(repository),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    checkpoints = repository / "data/06_models/checkpoints"
    while command.poll() is None and not list(checkpoints.glob("step-000000[5-9]?")):
        time.sleep(0.01)
    os.killpg(command.pid, signal.SIGKILL)
    command.wait()
    newest = max(folder.name for folder in checkpoints.glob("step-????????"))
    ran, seconds = repro(repository)
    is_same = digests(denoiser) == undisturbed
    print(f"killed at {newest}: {'the same' if is_same else 'OTHER'} weights", flush=True)
    return is_expected("after the kill", ran, AFTER_TRAIN, seconds) and is_same


def check_pull(repository: Path, remote: str) -> bool:
    """Push all data, delete them, and pull them."""
    run(repository, "dvc", "remote", "add", "--force", "--local", "checked", remote)
    before = digests(repository / "data")
    run(repository, "dvc", "push", "--remote", "checked")
    for folder in ("data", ".dvc/cache"):
        shutil.rmtree(repository / folder)
    run(repository, "git", "checkout", "--quiet", "data")
    run(repository, "dvc", "pull", "--remote", "checked")
    ran, seconds = repro(repository)
    after = digests(repository / "data")
    changed = [name for name in before | after if before.get(name) != after.get(name)]
    # A bundled autoencoder has no checkpoints, and DVC's stages have no optional outputs.
    untracked = r"tensorboard/|autoencoder_checkpoints/|\.lock$|\.ledger/"
    changed = [name for name in changed if not re.search(untracked, name)]
    print(f"pulled: {'OTHER ' + ', '.join(changed) if changed else 'the same files'}", flush=True)
    return is_expected("after the pull", ran, [], seconds) and not changed


def main() -> None:
    """Run all checks, and exit with 1 if one of them fails."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quick", action="store_true", help="run the stages after one change only")
    parser.add_argument("--remote", help="URL of a DVC remote (default: a folder)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        repository = new_repository(Path(name))
        ran, seconds = repro(repository)
        passed = is_expected("a new clone", ran, ["synthesize", *AFTER_INGEST], seconds)
        run(repository, "git", "add", "--all")
        run(repository, "git", "-c", "user.name=-", "-c", "user.email=-", "commit", "-qm", "run")
        passed &= check_pull(repository, arguments.remote or f"{name}/storage")
        passed &= check_changes(repository, arguments.quick)
        if not arguments.quick:
            passed &= check_kill(repository)
    sys.exit(not passed)


if __name__ == "__main__":
    main()
