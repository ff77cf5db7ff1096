"""Metrics of a predicted image against the true one, one per file."""
