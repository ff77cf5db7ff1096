"""`export`: models and metrics => a diffusers folder with its model card."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.export.nodes import make_export, publish


def create_pipeline() -> Pipeline:
    """Two nodes: one makes the folder, one writes the Space and uploads it."""
    return Pipeline(
        [
            node(
                make_export,
                [
                    "denoiser",
                    "albedo_autoencoder",
                    "latents",
                    "metrics",
                    "audit_summary",
                    "train_settings",
                    "space_folder",
                    "params:export",
                ],
                "export",
                name="make_export",
            ),
            node(
                publish,
                ["export", "export_folder", "space_folder", "params:export"],
                None,
                name="publish",
            ),
        ],
        tags="export",
    )
