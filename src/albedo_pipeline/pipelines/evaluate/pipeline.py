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
                    "more_pairs",
                    "denoiser",
                    "albedo_autoencoder",
                    "checkpoints",
                    "params:evaluate",
                ],
                ["lineage", "predictions", "more_predictions"],
                name="predict_split",
            ),
            node(
                score,
                [
                    "predictions",
                    "more_predictions",
                    "pairs",
                    "manifest",
                    "more_pairs",
                    "lineage",
                    "params:evaluate",
                ],
                ["per_sample", "risk_coverage", "more_per_sample", "metrics", "headline"],
                name="score",
            ),
        ],
        tags="evaluate",
    )
