"""The state of a real git repository."""

import subprocess
from pathlib import Path

import pytest

from albedo_pipeline.provenance.git import GitState, git_diff, git_state


def git(folder: Path, *arguments: str) -> str:
    """Output of a git command that does not read the user's configuration."""
    author = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
    command = ["git", "-C", str(folder), *author, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository with two committed files."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet")
    for name in ("a.txt", "b.txt"):
        (folder / name).write_text(name, encoding="utf-8")
    (folder / ".gitignore").write_text("ignored\n", encoding="utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "first")
    return folder


def test_a_clean_repository(repository: Path) -> None:
    (repository / "ignored").write_text("", encoding="utf-8")
    assert git_state(repository) == GitState(git(repository, "rev-parse", "HEAD"), 0, 0)


def test_changed_and_untracked_files_are_counted_apart(repository: Path) -> None:
    (repository / "a.txt").write_text("changed", encoding="utf-8")
    (repository / "b.txt").unlink()
    (repository / "new.txt").write_text("", encoding="utf-8")
    commit = git(repository, "rev-parse", "HEAD")
    assert git_state(repository) == GitState(commit, changed=2, untracked=1)


def test_a_folder_inside_the_repository_has_its_state(repository: Path) -> None:
    (repository / "inner").mkdir()
    assert git_state(repository / "inner") == git_state(repository)


def test_without_a_commit_there_is_no_state(tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet")
    (tmp_path / "new.txt").write_text("", encoding="utf-8")
    assert git_state(tmp_path) == GitState(None, 0, 0)


def test_outside_a_repository_there_is_no_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert git_state(tmp_path) == GitState(None, 0, 0)


def test_without_git_there_is_no_state(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert git_state(repository) == GitState(None, 0, 0)


def test_the_diff_restores_the_changed_files(repository: Path) -> None:
    """Also with settings of git that change how a difference is shown, and for binary files."""
    git(repository, "config", "diff.noprefix", "true")
    git(repository, "config", "color.ui", "always")
    (repository / "a.txt").write_bytes(b"changed \xff\n")
    (repository / "b.txt").write_bytes(b"\0\1")
    diff = git_diff(repository)
    git(repository, "checkout", "--", ".")
    assert (repository / "a.txt").read_text(encoding="utf-8") == "a.txt"
    (repository / "x.diff").write_bytes(diff)
    git(repository, "apply", "x.diff")
    assert (repository / "a.txt").read_bytes() == b"changed \xff\n"
    assert (repository / "b.txt").read_bytes() == b"\0\1"


def test_without_changes_or_git_the_diff_is_empty(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert git_diff(repository) == b""
    (repository / "a.txt").write_text("changed", encoding="utf-8")
    monkeypatch.setenv("PATH", "")
    assert git_diff(repository) == b""
