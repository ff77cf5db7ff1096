"""Measures how fast pairs are ingested from object storage, compared with a folder.

    python benchmarks/raw_data.py [--json FILE] [--rounds N] [--pairs N] [--side N] [--delay S]

An S3 server runs in a process of its own, and takes S seconds longer for each answer. The cases
take turns: the pairs in a folder; in a bucket, with a worker on each core; and there with more
workers (`ingest.workers`), which wait for the store while others compute. The shards are on the
disk.
"""

import tempfile
from functools import partial
from pathlib import Path

from ingest import ingest_seconds, raw_pairs
from measuring import argument_parser, by_turns, rate_row, report
from object_storage import started_server

from albedo_pipeline.readers.filename_list import FilenameListDataset
from albedo_pipeline.runtime.storage import location, upload


def main() -> None:
    """Measure, print the table, and write the JSON file if one is named."""
    parser = argument_parser(__doc__, rounds=3)
    parser.add_argument("--pairs", type=int, default=48, help="pairs of a turn")
    parser.add_argument("--side", type=int, default=512, help="side of the images, pixels")
    parser.add_argument("--delay", type=float, default=0.05, help="of each answer, seconds")
    parser.add_argument("--workers", type=int, default=16, help="of the last case")
    arguments = parser.parse_args()
    server = started_server(arguments.delay)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        disk = raw_pairs(folder, arguments.pairs, arguments.side)
        bucket = FilenameListDataset(filepath=_stored(folder / "raw", "s3://benchmark"))

        def case(dataset: FilenameListDataset, workers: int | None = None) -> float:
            return ingest_seconds(dataset, folder / "pairs", arguments.side, workers)

        cases = {
            "folder": partial(case, disk),
            "bucket": partial(case, bucket),
            f"bucket, {arguments.workers} workers": partial(case, bucket, arguments.workers),
        }
        times = by_turns(cases, arguments.rounds)
    server.kill()
    rows = {label: rate_row(seconds, arguments.pairs) for label, seconds in times.items()}
    speed = {
        label: row["samples_per_s"] / rows["folder"]["samples_per_s"] for label, row in rows.items()
    }
    report(rows, {f"{label}, over folder": ratio for label, ratio in speed.items()}, arguments.json)


def _stored(folder: Path, bucket: str) -> str:
    """Copy raw data to a new bucket; returns the URL of the list."""
    root = location(bucket)
    root.fs.mkdir(bucket.removeprefix("s3://"))
    for path in folder.rglob("*"):
        if path.is_file():
            upload(path, root / path.relative_to(folder).as_posix())
    return f"{bucket}/pairs.txt"


if __name__ == "__main__":
    main()
