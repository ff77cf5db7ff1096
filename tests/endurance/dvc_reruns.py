"""What `dvc repro` runs again after a change, a kill, and a pull.

    python tests/endurance/dvc_reruns.py [--remote URL]

In a clone of this repository, with the settings of conf/test: a change is made, `dvc repro` is run,
and what ran is compared with what had to. Then a training is killed under DVC and continued, and
everything is pushed, wiped and pulled, after which nothing may run. Takes some minutes; exits with
1 where anything is not as it has to be. Credentials of a remote come from the environment.
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

ROOT = Path(__file__).parents[2]
CODE = Path("src/albedo_pipeline")
AFTER_INGEST = ["ingest", "autoencoder", "encode", "train", "evaluate", "report", "export"]
AFTER_TRAIN = AFTER_INGEST[3:]

Change = Callable[[Path], None]


def appended(file: str, text: str) -> Change:
    """A line more at the end of a file."""

    def change(repository: Path) -> None:
        path = repository / file
        path.write_text(f"{path.read_text()}\n{text}\n")

    return change


def replaced(file: str, old: str, new: str) -> Change:
    """Another text in a file."""

    def change(repository: Path) -> None:
        path = repository / file
        assert re.search(old, path.read_text()), f"{file}: no {old}"
        path.write_text(re.sub(old, new, path.read_text(), count=1))

    return change


CHANGES: dict[str, tuple[Change, list[str]]] = {
    "nothing": (lambda _: None, []),
    "a line of the docs": (appended("docs/evaluation.md", "More."), []),
    "the code of a reader that is not used": (appended(f"{CODE}/datasets/hypersim.py", "#"), []),
    "the code of the renderer": (appended(f"{CODE}/rendering/textures.py", "#"), ["synthesize"]),
    "the code of encode": (appended(f"{CODE}/pipelines/encode/nodes.py", "#"), ["encode"]),
    "the code of the training": (  # the report shows the speed, which is another each time
        appended(f"{CODE}/training/trainer.py", "#"),
        ["train", "report"],
    ),
    "the code of predict": (appended(f"{CODE}/inference/user_work.py", "#"), ["evaluate"]),
    "the report's title": (
        replaced("conf/base/parameters_report.yml", "title: .*", "title: Another"),
        ["report"],
    ),
    "the code of a metric": (
        appended(f"{CODE}/metrics/lmse.py", "#"),
        ["evaluate", "report", "export"],
    ),
    "DDIM steps": (
        replaced("conf/test/parameters_evaluate.yml", "steps: .*", "steps: 3"),
        ["evaluate", "report", "export"],
    ),
    "the learning rate": (
        replaced("conf/test/parameters_train.yml", "peak: [^,]*", "peak: 2.0e-3"),
        AFTER_TRAIN,
    ),
    "the exposure policy": (
        appended("conf/test/parameters_ingest.yml", "  exposure: {policy: none}"),
        AFTER_INGEST,
    ),
}
"""A change, and the stages that run after it."""


def new_repository(folder: Path) -> Path:
    """A clone of what is committed here, in which DVC runs conf/test."""
    run(folder, "git", "clone", "--quiet", str(ROOT), "repository")
    repository = folder / "repository"
    (repository / "conf/test/globals.yml").unlink()  # DVC's data folder is that of conf/base
    replaced("params.yaml", "env: base", "env: test")(repository)
    return repository


def environment(repository: Path) -> dict[str, str]:
    """`kedro` and `dvc` of this Python, the package of the clone."""
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    found = os.environ | {"PATH": commands, "PYTHONPATH": str(repository / "src")}
    return found | {"OMP_NUM_THREADS": "1"}


def run(folder: Path, *command: str) -> str:
    """Run to the end; what it said.

    Raises:
        RuntimeError: where it fails.
    """
    done = subprocess.run(
        command, cwd=folder, env=environment(folder), capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def repro(repository: Path) -> tuple[list[str], float]:
    """Stages that `dvc repro` ran, and its seconds."""
    start = time.monotonic()
    said = run(repository, "dvc", "repro")
    return re.findall(r"Running stage '(\w+)'", said), time.monotonic() - start


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of every file by its name."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def is_right(what: str, ran: list[str], wanted: list[str], seconds: float) -> bool:
    """Print a line of the table; whether it is as wanted."""
    print(f"{what}: {', '.join(ran) or 'nothing'} ran, {seconds:.0f} s", flush=True)
    if ran != wanted:
        print(f"    WANTED {', '.join(wanted) or 'nothing'}", flush=True)
    return ran == wanted


def check_changes(repository: Path) -> bool:
    """Every change alone, and taken back before the next one."""
    right = True
    for what, (change, wanted) in CHANGES.items():
        change(repository)
        ran, seconds = repro(repository)
        right &= is_right(what, ran, wanted, seconds)
        run(repository, "git", "checkout", "--quiet", ".")
        run(repository, "dvc", "checkout", "--quiet")
    return right


def check_kill(repository: Path) -> bool:
    """A training that is killed under DVC ends as an undisturbed one."""
    denoiser = repository / "data/06_models/denoiser"
    replaced("conf/test/parameters_train.yml", "seed: .*", "seed: 5")(repository)
    replaced("conf/test/parameters_train.yml", "max_steps: .*", "max_steps: 150")(repository)
    repro(repository)
    undisturbed = digests(denoiser)
    run(repository, "git", "checkout", "--quiet", "dvc.lock")
    run(repository, "dvc", "checkout", "--quiet")
    shutil.rmtree(repository / ".dvc/cache/runs")  # else DVC would find the result there
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
    at = max(folder.name for folder in checkpoints.glob("step-????????"))
    ran, seconds = repro(repository)
    is_same = digests(denoiser) == undisturbed
    print(f"killed at {at}: {'the same' if is_same else 'OTHER'} weights", flush=True)
    return is_right("after the kill", ran, AFTER_TRAIN, seconds) and is_same


def check_pull(repository: Path, remote: str) -> bool:
    """All data pushed, wiped and pulled."""
    run(repository, "dvc", "remote", "add", "--force", "--local", "tried", remote)
    before = digests(repository / "data")
    run(repository, "dvc", "push", "--remote", "tried")
    for folder in ("data", ".dvc/cache"):
        shutil.rmtree(repository / folder)
    run(repository, "git", "checkout", "--quiet", "data")
    run(repository, "dvc", "pull", "--remote", "tried")
    ran, seconds = repro(repository)
    after = digests(repository / "data")
    other = [name for name in before | after if before.get(name) != after.get(name)]
    other = [name for name in other if not re.search(r"tensorboard/|\.lock$|\.ledger/", name)]
    print(f"pulled: {'OTHER ' + ', '.join(other) if other else 'the same files'}", flush=True)
    return is_right("after the pull", ran, [], seconds) and not other


def main() -> None:
    """Run, report, and exit with 1 where anything is not as it has to be."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--remote", help="URL of a DVC remote; a folder by default")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        repository = new_repository(Path(name))
        ran, seconds = repro(repository)
        right = is_right("a new clone", ran, ["synthesize", *AFTER_INGEST], seconds)
        run(repository, "git", "add", "--all")
        run(repository, "git", "-c", "user.name=-", "-c", "user.email=-", "commit", "-qm", "run")
        right &= check_pull(repository, given.remote or f"{name}/storage")
        right &= check_changes(repository)
        right &= check_kill(repository)
    sys.exit(not right)


if __name__ == "__main__":
    main()
