"""Bad and unusual inputs, one by one, through reader, `ingest` and shards."""

import os
import re
from pathlib import Path

import numpy as np
import pytest

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.imaging.colour import encode_srgb
from albedo_pipeline.imaging.pixels import quantize
from albedo_pipeline.params import IngestParams
from albedo_pipeline.preprocessing.audit import summary_of
from albedo_pipeline.preprocessing.pair_rows import crop_settings, pair_rows
from albedo_pipeline.readers.pair_files import bad_reference
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shard_file import open_shard
from tests.endurance import bad_input_runs as bad
from tests.endurance.bad_input_files import Case, Stored
from tests.endurance.bad_input_lists import LISTS, MEMBERS, ListCase, Member
from tests.endurance.bad_input_refused import REFUSED
from tests.endurance.bad_input_used import GOOD, USED

kinds = {"ids": lambda case: case.kind}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bad")


@pytest.fixture(scope="module")
def result(folder: Path) -> bad.Outcome:
    """All pairs as one list, ingested once."""
    return bad.run_all(folder)


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """All members of an archive as one list, ingested once."""
    return bad.run_archive(tmp_path_factory.mktemp("archive"))


def assert_stored(result: bad.Outcome, sample_id: str, expected: Stored) -> None:
    row = int(result.manifest.set_index("sample_id").loc[sample_id, "row"])
    valid = result.pairs.tensor("valid", row)[0] == 1
    np.testing.assert_array_equal(valid, expected.valid)
    exposure = result.audit.loc[sample_id, "exposure"]
    linear = {"beauty": np.minimum(expected.beauty * exposure, 1), "albedo": expected.albedo}
    for name, image in linear.items():
        stored = result.pairs.tensor(name, row).transpose(1, 2, 0)[valid].astype(int)
        wanted = quantize(encode_srgb(image))[valid].astype(int)
        np.testing.assert_allclose(stored, wanted, atol=1, err_msg=name)


@pytest.mark.parametrize("case", REFUSED, **kinds)
def test_is_set_aside_with_the_reason(result: bad.Outcome, case: Case) -> None:
    reason = result.found(case.kind)["reason"]
    assert re.fullmatch(case.reason, reason), reason


@pytest.mark.parametrize("case", [*USED, *GOOD[:1]], **kinds)
def test_is_used_and_stored_right(result: bad.Outcome, case: Case) -> None:
    found = result.found(case.kind)
    assert found["reason"] == ""
    assert (result.manifest["group"] == case.kind).sum() == 1
    assert_stored(result, result.ids[case.kind], case.stored)
    assert {name: found[name] for name in case.record} == pytest.approx(case.record)


def test_nothing_else_is_set_aside(result: bad.Outcome) -> None:
    refused = {result.ids[case.kind] for case in REFUSED}
    assert set(result.audit.index[result.audit["reason"] != ""]) == refused
    assert len(result.pairs) == len(USED) + len(GOOD)


def test_what_was_rewritten_is_used_by_the_next_run(result: bad.Outcome, folder: Path) -> None:
    later = bad.outcome(folder, result.ids)
    assert later.found("rewritten")["reason"] == ""
    others = [result.ids[case.kind] for case in REFUSED if case.kind != "rewritten"]
    assert later.audit["reason"][others].equals(result.audit["reason"][others])


def test_the_audit_counts_what_it_found(result: bad.Outcome) -> None:
    flags = summary_of(result.audit.reset_index(drop=True))["flags"]
    assert (flags["nonfinite"], flags["negative"], flags["clipped_albedo"]) == (2, 1, 1)


def test_links_that_are_mended_are_used_by_the_next_run(tmp_path: Path) -> None:
    links = [case for case in REFUSED if case.kind in ("linked-out", "linked-folder")]
    bad.write_list(tmp_path, [*GOOD[:1], *links])
    raw = tmp_path / "raw"
    assert len(bad.ingest(tmp_path, raw / "pairs.txt").rejected) == 2
    (tmp_path / "linked-out.exr").rename(raw / "linked-out" / "albedo.exr")
    (raw / "linked-folder").unlink()
    (tmp_path / "linked-folder-outside").rename(raw / "linked-folder")
    assert bad.ingest(tmp_path, raw / "pairs.txt").rejected == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_used_once_it_may(tmp_path: Path) -> None:
    bad.write_list(tmp_path, GOOD[:2])
    listed, albedo = tmp_path / "raw" / "pairs.txt", tmp_path / "raw" / "good-01" / "albedo.exr"
    albedo.chmod(0)
    rejected = bad.ingest(tmp_path, listed).rejected
    assert [item.reason for item in rejected] == ["good-01/albedo.exr: Permission denied"]
    albedo.chmod(0o644)
    assert bad.ingest(tmp_path, listed).rejected == []


def peak_mebibytes() -> float:
    """Largest resident memory since the mark was set back."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="needs Linux")
def test_a_huge_header_takes_no_memory(result: bad.Outcome, tmp_path: Path) -> None:
    huge = [case for case in REFUSED if case.kind.startswith("huge")]
    bad.write_list(tmp_path, [*GOOD[:1], *huge])
    Path("/proc/self/clear_refs").write_text("5", encoding="utf-8")
    before = peak_mebibytes()
    pairs = bad.ingest(tmp_path, tmp_path / "raw" / "pairs.txt")
    assert peak_mebibytes() - before < 200
    assert len(pairs.rejected) == len(huge) == 4


@pytest.mark.parametrize("member", MEMBERS, **kinds)
def test_members_of_an_archive(archive: dict[str, str], member: Member) -> None:
    assert archive[member.kind] == ((member.reason and f"{member.name}: {member.reason}") or "")


@pytest.mark.parametrize("case", LISTS, **kinds)
def test_a_wrong_list_stops_the_run(tmp_path: Path, case: ListCase) -> None:
    message = bad.message_of(tmp_path, case)
    assert re.fullmatch(re.escape(str(tmp_path / case.name)) + case.message, message), message


def test_a_list_with_a_column_more_ends_the_command(tmp_path: Path) -> None:
    project = bad.project_of(tmp_path, GOOD[:3])
    listed = project / "raw" / "pairs.txt"
    listed.write_text(listed.read_text(encoding="utf-8") + "a b\n", encoding="utf-8")
    assert bad.error_of(project).endswith("raw/pairs.txt, line 4: 2 name(s), but line 1 has 3")


def test_fewer_groups_than_splits_are_named(tmp_path: Path) -> None:
    ids = bad.write_list(tmp_path, GOOD[:1])
    message = r"^ingest\.split: none of the 1 group\(s\) fell to [a-z ]+; [^\n]*$"
    with pytest.raises(ProjectError, match=message):
        bad.outcome(tmp_path, ids)


@pytest.mark.slow
def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    project = bad.project_of(tmp_path, GOOD)
    listed, undisturbed = project / "raw" / "pairs.txt", project / "undisturbed"
    bad.ingest(undisturbed, listed)
    with bad.list_cut_off(listed, 5):
        old = bad.ingest(project, listed).scalars
    before = bad.contents(project)

    message = bad.error_on_a_full_disk(project, undisturbed)
    assert str(project / "pairs") in message
    assert "File too large" in message
    assert bad.contents(project).items() >= before.items()
    assert not list((project / "pairs").glob(".*"))
    assert all(open_shard(path) for path in (project / "pairs").glob("*.arrow"))
    assert PairShards(project / "pairs").scalars.equals(old)

    bad.ingest(project, listed)
    assert bad.contents(project) == bad.contents(undisturbed)


def test_a_reason_with_a_name_that_is_not_utf_8_can_be_stored() -> None:
    params = IngestParams(resolution=64)
    reference = bad_reference("sound", "group", "albedo/n\udcff.png: its name is not UTF-8")
    rejected = pair_rows(reference, params, crop_settings(params))
    assert rejected.reason == r"albedo/n\udcff.png: its name is not UTF-8"
