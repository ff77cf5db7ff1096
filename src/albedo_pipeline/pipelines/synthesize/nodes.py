"""Nodes of `synthesize`."""

from collections.abc import Iterator, Sequence

from albedo_pipeline.node_types import Figure, RawPair, RawPairReference, Render
from albedo_pipeline.params import SynthesizeParams


def render_pairs(params: SynthesizeParams) -> Iterator[RawPair]:
    """Yield a pair for every view of every scene, and for every further light of a first view."""
    from albedo_pipeline.rendering import RenderSettings, render_all
    from albedo_pipeline.runtime.progress import progress

    settings = RenderSettings(
        params.resolution, params.samples_per_pixel, params.max_depth, params.world
    )
    scenes = range(params.scenes)
    renders = render_all(
        params.seed, scenes, params.views, params.relit, settings, params.processes
    )
    counted = progress(renders, params.scenes * (params.views + params.relit), "synthesize")
    return (
        _raw_pair(params.seed, scene, view, light, render) for scene, view, light, render in counted
    )


def describe_renders(raw_pairs: Sequence[RawPairReference]) -> tuple[Figure, dict]:
    """A sheet of sample images, and the number of rejected draws by reason."""
    from albedo_pipeline.reporting.plots.sample_sheet import count_redrawn, sample_sheet

    return sample_sheet(raw_pairs), count_redrawn(raw_pairs)


def _raw_pair(seed: int, scene: int, view: int, light: int, render: Render) -> RawPair:
    from albedo_pipeline.readers import raw_pairs

    group = f"seed-{seed}/scene-{scene:05d}"
    return raw_pairs.RawPair(
        sample_id=f"{group}/view-{view:02d}" + (f"-light-{light:02d}" if light else ""),
        group=group,
        beauty=render.beauty,
        albedo=render.albedo,
        valid=render.valid,
        attributes={"redrawn": " ".join(render.redrawn)},
    )
