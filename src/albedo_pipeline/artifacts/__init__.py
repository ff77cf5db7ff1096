"""Kedro datasets of all that is no shard: checkpoints, models, exports, results, pages."""
