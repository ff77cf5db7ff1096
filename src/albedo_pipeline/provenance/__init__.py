"""Where a result comes from: digests of code and weights, git state, run records, lineage."""
