"""Raw pairs of InteriorVerse (Zhu et al. 2022), as its archives unpack."""

from albedo_pipeline.errors import ProjectError
from albedo_pipeline.readers.folder_pattern import FolderPatternDataset
from albedo_pipeline.readers.raw_pairs import References


class InteriorVerseDataset(FolderPatternDataset):
    """`<scene>/NNN_im.exr` with `NNN_albedo.exr` and `NNN_mask.exr`, all linear.

    A pixel is valid if all channels of the mask are non-zero. The group is the scene's folder;
    it is `scenes_85/<scene>` if `filepath` holds several collections of scenes.

        raw_pairs:
          type: albedo_pipeline.readers.interiorverse.InteriorVerseDataset
          filepath: /data/InteriorVerse/scenes_85

    Args:
        filepath: the folder that holds the scenes, at any depth, or an uncompressed `.tar` of it.
        max_megapixels: see `PairReader`.
    """

    def __init__(
        self, *, filepath: str, max_megapixels: float = 128, metadata: dict | None = None
    ) -> None:
        super().__init__(
            filepath=filepath,
            beauty="{sample}_im.exr",
            albedo="{sample}_albedo.exr",
            mask="{sample}_mask.exr",
            mask_rule="non_zero",
            max_megapixels=max_megapixels,
            metadata=metadata,
        )

    def load(self) -> References:
        """References, sorted by scene and number.

        Raises:
            ProjectError: if there is no such folder, it holds no frames, or it is itself a
                scene, so that frames of one scene would count as several.
        """
        references = super().load()
        flat = next((r.sample_id for r in references if "/" not in r.sample_id), None)
        if flat is not None:
            raise ProjectError(
                f"{self._path}: {flat}_im.exr lies in no scene's folder; set filepath to the "
                "folder that holds the scenes"
            )
        return references
