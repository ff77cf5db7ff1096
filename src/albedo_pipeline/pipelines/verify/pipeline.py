"""`verify`: an exported folder => whether this host gives its reference picture."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.verify.nodes import check_host


def create_pipeline() -> Pipeline:
    """One node, which writes nothing."""
    return Pipeline(
        [node(check_host, ["project_model", "params:verify"], None, name="check_host")],
        tags="verify",
    )
