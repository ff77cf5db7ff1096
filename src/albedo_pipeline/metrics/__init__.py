"""Metrics and other measured quantities; each describes itself in its own module."""
