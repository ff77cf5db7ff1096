"""Predictions of a split, baselines, protocols, scores, summaries, photographs."""
