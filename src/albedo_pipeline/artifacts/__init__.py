"""Kedro datasets of everything but shards: checkpoints, models, exports, results, pages."""
