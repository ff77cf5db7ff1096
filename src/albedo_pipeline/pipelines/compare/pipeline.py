"""`compare`: a list of estimators and test pairs => their scores side by side."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.compare.nodes import predict_estimators, score_estimators


def create_pipeline() -> Pipeline:
    """Two nodes: one makes the predictions, one their scores and tables."""
    return Pipeline(
        [
            node(
                predict_estimators,
                ["pairs", "manifest", "trained_model", "checkpoints", "params:compare"],
                ["comparison_lineage", "comparison_predictions"],
                name="predict_estimators",
            ),
            node(
                score_estimators,
                [
                    "comparison_predictions",
                    "pairs",
                    "manifest",
                    "comparison_lineage",
                    "params:compare",
                ],
                "comparison",
                name="score_estimators",
            ),
        ],
        tags="compare",
    )
