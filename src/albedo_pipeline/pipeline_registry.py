"""The project's pipelines."""

from importlib import import_module

from kedro.pipeline import Pipeline

DEFAULT_PIPELINES = ("ingest", "autoencoder", "encode", "train", "evaluate", "report")
"""Pipelines that `__default__` runs, in this order: from raw pairs to the report."""
RENDERED_PIPELINES = ("synthesize", "sequence")
"""Pipelines that render with Mitsuba, which `demo` runs besides those of `__default__`."""
SEPARATE_PIPELINES = ("plan", "compare", "export", "verify", "predict", "app")
"""Pipelines that are neither in `__default__` nor in `demo`."""
REAL_PHOTO_BENCHMARKS = ("iiw", "maw")
"""Data sets of photographs with known answers. Each is a pipeline of its own, which is neither in
`__default__` nor in `demo`."""


def register_pipelines() -> dict[str, Pipeline]:
    """All pipelines by name. `demo` is `synthesize`, `__default__` and `sequence`."""
    names = (*RENDERED_PIPELINES, *DEFAULT_PIPELINES, *SEPARATE_PIPELINES)
    pipelines = {name: _namespaced(_create(name), name) for name in names}
    benchmarks = _create("real_photo_benchmarks")
    pipelines |= {
        name: _namespaced(benchmarks.only_nodes_with_tags(name), name)
        for name in REAL_PHOTO_BENCHMARKS
    }
    default = sum((pipelines[name] for name in DEFAULT_PIPELINES), Pipeline([]))
    demo = sum((pipelines[name] for name in RENDERED_PIPELINES), default)
    return {"__default__": default, "demo": demo, **pipelines}


def _create(name: str) -> Pipeline:
    return import_module(f"albedo_pipeline.pipelines.{name}.pipeline").create_pipeline()


def _namespaced(pipeline: Pipeline, name: str) -> Pipeline:
    """The pipeline as a namespace, which Kedro-Viz shows as one box.

    Nodes are called `name.node`; datasets keep their names of the catalog.
    """
    return Pipeline(pipeline, namespace=name, prefix_datasets_with_namespace=False)
