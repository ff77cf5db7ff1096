"""`synthesize`: which pairs it makes, and their names."""

from albedo_pipeline.params import SynthesizeParams
from albedo_pipeline.pipelines.synthesize.nodes import render_pairs


def test_the_first_view_of_each_scene_is_rendered_under_further_lights() -> None:
    params = SynthesizeParams(
        seed=5,
        scenes=2,
        views=2,
        relit=2,
        resolution=16,
        samples_per_pixel=4,
        max_depth=3,
        processes=1,
    )
    pairs = list(render_pairs(params))
    views = ["view-00", "view-00-light-01", "view-00-light-02", "view-01"]
    scenes = ["seed-5/scene-00000", "seed-5/scene-00001"]
    assert [p.sample_id for p in pairs] == [f"{s}/{v}" for s in scenes for v in views]
    assert [p.group for p in pairs] == [s for s in scenes for _ in views]
