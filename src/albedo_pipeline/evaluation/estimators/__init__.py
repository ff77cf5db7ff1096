"""Estimators that are scored side by side: one file each, which `open.py` finds by its name.

A file defines `Settings`, a pydantic model of its settings, and `load(settings, context)`, which
returns an object with `about`, `digests` and `predict`; see `base.AlbedoEstimator`.
"""
