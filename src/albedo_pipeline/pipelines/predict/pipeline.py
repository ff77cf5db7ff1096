"""`predict`: the user's own images => their albedo, and a page that shows both."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.predict.nodes import (
    name_bad_images,
    predict_images,
    show_predictions,
)


def create_pipeline() -> Pipeline:
    """Three nodes: one makes the predictions, one their page, one fails if an image was bad."""
    return Pipeline(
        [
            node(
                predict_images,
                ["project_model", "params:predict"],
                "user_predictions",
                name="predict_images",
            ),
            node(show_predictions, "user_predictions", "user_page", name="show_predictions"),
            node(
                name_bad_images,
                ["user_predictions", "user_page"],
                None,
                name="name_bad_images",
            ),
        ],
        tags="predict",
    )
