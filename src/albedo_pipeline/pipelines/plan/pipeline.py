"""`plan`: settings => memory, operations, disk and hours of the training, without weights."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.plan.nodes import plan_training


def create_pipeline() -> Pipeline:
    """One node, which plans the training."""
    return Pipeline(
        [
            node(
                plan_training,
                ["params:train", "params:autoencoder", "params:ingest", "params:plan"],
                "training_plan",
                name="plan_training",
            )
        ],
        tags="plan",
    )
