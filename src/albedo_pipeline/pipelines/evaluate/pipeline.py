"""`evaluate`: models and test pairs => predictions, scores, metrics.json."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.evaluate.nodes import predict_split, score


def create_pipeline() -> Pipeline:
    """Two nodes: the predictions, then their scores."""
    return Pipeline(
        [
            node(
                predict_split,
                ["pairs", "manifest", "denoiser", "autoencoder", "params:evaluate"],
                "predictions",
                name="predict_split",
            ),
            node(
                score,
                ["predictions", "pairs", "manifest", "params:evaluate"],
                ["per_sample", "metrics"],
                name="score",
            ),
        ],
        tags="evaluate",
    )
