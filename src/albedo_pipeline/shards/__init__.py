"""Arrow shard files, their index, shard builds, and the Kedro datasets over them.

A shard build is the only thing in this project that computes when it is saved. The contract between
a build and the dataset that runs it:

1. A build names its *sources* in a fixed order. Each has a signature; if that changes, the rows
   of the source must be made again.
2. Its *cache key* is a digest of everything else that the rows depend on: settings, weights, and
   the code that decides the stored bytes (`provenance.code`).
3. `make` yields, for each source whose item it is given and in that order, its rows or the reason
   why it has none. Rows are a pure function of cache key and source. `make` and the items can be
   sent to another process.
4. The sources are divided into chunks, one shard each. The names of the sources alone decide where
   a chunk ends, so adding or removing a source changes only the chunk that it is in.
5. What each finished chunk was made from is recorded in a ledger beside the folder. A chunk that is
   recorded is not made again, and rows of unchanged sources are copied.
6. The index is replaced last and in one step: a reader sees the old content or the new one.

Therefore a build that was killed and continued, that made only what had changed, or whose chunks
were made by many workers of which some died leaves the same bytes as one that made everything at
once. Workers write shards and records of chunks; the process that runs the build publishes them.
"""
