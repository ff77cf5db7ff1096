"""`iiw` and `maw`: photographs and the exported model => scores by each data set's own protocol."""

from kedro.pipeline import Pipeline, node

from albedo_pipeline.pipelines.real_photo_benchmarks.nodes import score_iiw, score_maw


def create_pipeline() -> Pipeline:
    """One node per data set, tagged with its name."""
    return Pipeline(
        [
            node(
                score,
                [f"{name}_photos", "project_model", "params:evaluate"],
                [f"{name}_per_sample", f"{name}_metrics"],
                name=f"score_{name}",
                tags=name,
            )
            for name, score in (("iiw", score_iiw), ("maw", score_maw))
        ]
    )
