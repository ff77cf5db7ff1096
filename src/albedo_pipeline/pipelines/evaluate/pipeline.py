"""`evaluate`: models and test pairs => predictions, scores, metrics.json."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.evaluate.nodes import predict_split, score


def create_pipeline() -> Pipeline:
    """Two nodes: one makes the predictions, one their scores."""
    return Pipeline(
        [
            node(
                predict_split,
                [
                    "pairs",
                    "manifest",
                    "denoiser",
                    "albedo_autoencoder",
                    "checkpoints",
                    "params:evaluate",
                ],
                ["lineage", "predictions"],
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
