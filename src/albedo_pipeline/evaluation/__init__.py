"""Predictions of a split, baselines, protocols, scores, summaries, scores on photographs."""
