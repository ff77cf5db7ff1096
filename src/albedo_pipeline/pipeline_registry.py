"""The project's pipelines, in the order of the chain."""

from importlib import import_module

from kedro.pipeline import Pipeline

CHAIN = ("ingest", "autoencoder", "encode", "train", "evaluate", "report")
"""`__default__`: from raw pairs to the report."""
APART = ("export", "predict")
"""Neither in `__default__` nor in `demo`."""
PHOTOS = ("iiw", "maw")
"""Data sets of photographs; each is a pipeline apart."""


def register_pipelines() -> dict[str, Pipeline]:
    """Every pipeline by its name; `__default__` = the chain; `demo` = `synthesize` + the chain."""
    pipelines = {name: _folded(_create(name), name) for name in ("synthesize", *CHAIN, *APART)}
    photographs = _create("real_photo_benchmarks")
    pipelines |= {name: _folded(photographs.only_nodes_with_tags(name), name) for name in PHOTOS}
    default = sum((pipelines[name] for name in CHAIN), Pipeline([]))
    return {"__default__": default, "demo": pipelines["synthesize"] + default, **pipelines}


def _create(name: str) -> Pipeline:
    return import_module(f"albedo_pipeline.pipelines.{name}.pipeline").create_pipeline()


def _folded(pipeline: Pipeline, name: str) -> Pipeline:
    """Its nodes as `name.node`, which Kedro-Viz shows as one box; datasets are the catalog's."""
    return Pipeline(pipeline, namespace=name, prefix_datasets_with_namespace=False)
