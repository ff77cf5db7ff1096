"""The `report` pipeline: metrics, predictions and logs => plots and the HTML report."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.report.nodes import (
    plot_data,
    plot_gallery,
    plot_metrics,
    plot_training,
    tabulate_curves,
    write_report,
)


def create_pipeline() -> Pipeline:
    """Six nodes: four figures, the curves as tables, and the HTML page."""
    return Pipeline(
        [
            node(plot_training, "training_log", "loss_curve", name="plot_training"),
            node(
                tabulate_curves,
                ["training_log", "risk_coverage"],
                ["loss_points", "validation_points", "risk_points"],
                name="tabulate_curves",
            ),
            node(plot_metrics, "metrics", "metrics_plot", name="plot_metrics"),
            node(plot_data, "audit", "data_plot", name="plot_data"),
            node(
                plot_gallery,
                ["metrics", "per_sample", "predictions", "pairs", "manifest"],
                "gallery",
                name="plot_gallery",
            ),
            node(
                write_report,
                [
                    "metrics",
                    "per_sample",
                    "predictions",
                    "pairs",
                    "manifest",
                    "risk_coverage",
                    "training_log",
                    "audit",
                    "audit_summary",
                    "quarantine",
                    "autoencoder_report",
                    "train_settings",
                    "comparison",
                    "move_result",
                    "parameters",
                    "params:report",
                ],
                "report",
                name="write_report",
            ),
        ],
        tags="report",
    )
