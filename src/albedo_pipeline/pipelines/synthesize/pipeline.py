"""`synthesize`: settings => rendered pairs."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.synthesize.nodes import describe_renders, render_pairs


def create_pipeline() -> Pipeline:
    """Two nodes: one renders the pairs, one makes an overview of them."""
    return Pipeline(
        [
            node(render_pairs, "params:synthesize", "raw_pairs", name="render_pairs"),
            node(
                describe_renders,
                "raw_pairs",
                ["sample_sheet", "synthesis_report"],
                name="describe_renders",
            ),
        ],
        tags="synthesize",
    )
