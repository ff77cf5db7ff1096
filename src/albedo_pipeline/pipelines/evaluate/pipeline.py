"""`evaluate`: models and test pairs => predictions, scores, metrics.json."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.evaluate.nodes import describe_inputs, predict_split, score


def create_pipeline() -> Pipeline:
    """Three nodes: one describes the inputs, one makes the predictions, one their scores."""
    return Pipeline(
        [
            node(
                describe_inputs,
                ["manifest", "denoiser", "albedo_autoencoder", "params:evaluate"],
                "lineage",
                name="describe_inputs",
            ),
            node(
                predict_split,
                [
                    "pairs",
                    "manifest",
                    "denoiser",
                    "albedo_autoencoder",
                    "lineage",
                    "params:evaluate",
                ],
                "predictions",
                name="predict_split",
            ),
            node(
                score,
                ["predictions", "pairs", "manifest", "lineage", "params:evaluate"],
                ["per_sample", "risk_coverage", "metrics", "headline"],
                name="score",
            ),
        ],
        tags="evaluate",
    )
