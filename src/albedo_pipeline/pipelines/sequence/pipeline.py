"""`sequence`: a scene of the test split => a camera move, its albedo, error and flicker."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.sequence.nodes import predict_camera_move, render_camera_move


def create_pipeline() -> Pipeline:
    """Two nodes: one renders the frames, one predicts and measures them."""
    return Pipeline(
        [
            node(
                render_camera_move,
                ["manifest", "params:synthesize", "params:sequence"],
                "camera_move",
                name="render_camera_move",
            ),
            node(
                predict_camera_move,
                [
                    "camera_move",
                    "denoiser",
                    "albedo_autoencoder",
                    "checkpoints",
                    "params:evaluate",
                    "params:ingest",
                ],
                "move_result",
                name="predict_camera_move",
            ),
        ],
        tags="sequence",
    )
