"""The state of the git repository that a run was made in."""

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class GitState:
    """Commit and uncommitted changes of a repository."""

    commit: str | None
    """Full hash; None outside a repository with a commit."""
    changed: int
    """Number of tracked files that differ from the commit."""
    untracked: int
    """Number of files that git neither tracks nor ignores."""


def git_state(folder: Path) -> GitState:
    """State of the repository that `folder` lies in."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return GitState(None, 0, 0)
    changes = (_git(folder, "status", "--porcelain") or "").splitlines()
    untracked = sum(line.startswith("??") for line in changes)
    return GitState(commit, len(changes) - untracked, untracked)


def git_diff(folder: Path) -> bytes:
    """What differs from the commit in tracked files, for `git apply`; empty if nothing does, or
    there is no commit. The user's settings of `git diff` do not change it."""
    prefixes = ("--src-prefix=a/", "--dst-prefix=b/")
    plain = ("--binary", "--no-color", "--no-ext-diff", "--no-textconv", "--no-relative")
    return _output(folder, "diff", *plain, *prefixes, "HEAD") or b""


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command as text; None if git is missing or the command fails."""
    output = _output(folder, *arguments)
    return None if output is None else output.decode(errors="replace").strip()


def _output(folder: Path, *arguments: str) -> bytes | None:
    command = ["git", "-C", str(folder), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, timeout=20)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout if done.returncode == 0 else None
