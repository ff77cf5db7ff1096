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


def _git(folder: Path, *arguments: str) -> str | None:
    """Output of a git command; None if git is missing or the command fails."""
    try:
        done = subprocess.run(
            ["git", "-C", str(folder), *arguments], capture_output=True, text=True, timeout=20
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
