"""Kedro datasets of folders of shards; a shard build is run when it is saved."""

import os
from collections.abc import Callable
from typing import NoReturn

from kedro.io import AbstractDataset, DatasetError
from kedro_datasets._typing import ImagePreview

from albedo_pipeline.errors import ProjectError, UnreachableError, one_line
from albedo_pipeline.runtime.storage import folders_in, location, make_folder
from albedo_pipeline.shards.build import ShardBuild, write_build
from albedo_pipeline.shards.index import has_index
from albedo_pipeline.shards.latent_shards import LatentShards
from albedo_pipeline.shards.pair_shards import PairShards
from albedo_pipeline.shards.shards import PredictionShards, Shards


class ShardsDataset(AbstractDataset[ShardBuild, Shards]):
    """A folder of shards.

    Args:
        filepath: the folder, or its URL in object storage. Its content is replaced in one step when
            a save succeeds.
        samples_per_shard: mean number of sources of a build whose rows are in one file.
    """

    reader: type[Shards] = Shards

    def __init__(
        self, *, filepath: str, samples_per_shard: int = 256, metadata: dict | None = None
    ) -> None:
        self._folder = location(filepath)
        self._samples_per_shard = samples_per_shard
        self.metadata = metadata

    def load(self) -> Shards:
        """Open the shards.

        Raises:
            ProjectError: if there are no shards, or one is damaged.
        """
        return self.reader(self._folder)

    def save(self, data: ShardBuild) -> None:
        """Run a shard build; the old shards stay if this fails.

        A build makes only what is missing, and uses the finished shards of earlier runs that
        failed or were killed.

        Raises:
            ProjectError: if there is no row, another run writes to the folder, or the disk is full
                or fails.
        """
        try:
            make_folder(self._folder)
            write_build(self._folder, data, self._samples_per_shard)
        except OSError as error:
            reason = os.strerror(error.errno) if error.errno else one_line(error)
            raise ProjectError(f"{self._folder}: not finished: {reason}") from error

    def _exists(self) -> bool:
        return has_index(self._folder)

    def _describe(self) -> dict[str, object]:
        return {"filepath": str(self._folder), "samples_per_shard": self._samples_per_shard}


class PairShardsDataset(ShardsDataset):
    """A folder of pair shards; see `ShardsDataset`."""

    reader = PairShards

    def preview(self) -> ImagePreview:
        """A contact sheet of some samples, for Kedro-Viz."""
        from albedo_pipeline.shards.contact_sheet import contact_sheet

        return ImagePreview(contact_sheet(self.load()))


class LatentShardsDataset(ShardsDataset):
    """A folder of latent shards; see `ShardsDataset`."""

    reader = LatentShards


class LatentSetsDataset(AbstractDataset[NoReturn, dict[str, LatentShards]]):
    """Loads further latent sets that a training can mix in, by name.

    Args:
        sets: folders of latent shards, or their URLs, by name.
    """

    def __init__(self, *, sets: dict[str, str], metadata: dict | None = None) -> None:
        self._folders = {name: location(folder) for name, folder in sets.items()}
        self.metadata = metadata

    def load(self) -> dict[str, LatentShards]:
        """Open every set.

        Raises:
            ProjectError: if a folder holds no finished shards, or a damaged one; names it.
        """
        return {name: LatentShards(folder) for name, folder in self._folders.items()}

    def save(self, data: NoReturn) -> None:
        """Refuse: each set is written by the project that encodes it.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("further latent sets are read-only")

    def _describe(self) -> dict[str, object]:
        return {"sets": {name: str(folder) for name, folder in self._folders.items()}}


class EncodedLatentsDataset(AbstractDataset[NoReturn, Callable[[], LatentShards]]):
    """Loads a function that opens the latents that an earlier run of `encode` wrote.

    The entry is another name for the folder of `latents`: the pipeline `autoencoder` may read what
    a run before it encoded, but does not wait for `encode`, which needs the autoencoder.

    Args:
        folder: the folder of the latents; it need not exist.
    """

    def __init__(self, *, folder: str, metadata: dict | None = None) -> None:
        self._folder = location(folder)
        self.metadata = metadata

    def load(self) -> Callable[[], LatentShards]:
        """Return the function; it raises ProjectError if there are no latents, or damaged ones."""
        return lambda: LatentShards(self._folder)

    def save(self, data: NoReturn) -> None:
        """Refuse: the pipeline `encode` writes the latents.

        Raises:
            DatasetError: always.
        """
        raise DatasetError("the latents are written by the pipeline encode")

    def _describe(self) -> dict[str, object]:
        return {"folder": str(self._folder)}


class PredictionShardsDataset(ShardsDataset):
    """A folder of prediction shards; see `ShardsDataset`."""

    reader = PredictionShards

    def preview(self) -> ImagePreview:
        """A contact sheet of some samples, for Kedro-Viz."""
        from albedo_pipeline.shards.contact_sheet import contact_sheet

        return ImagePreview(contact_sheet(self.load()))


class PredictionSetsDataset(AbstractDataset[dict[str, ShardBuild], dict[str, PredictionShards]]):
    """Folders of prediction shards by name, one for each further set that is evaluated.

    Args:
        folder: holds a folder for each set; those of sets that are not saved stay as they are.
        samples_per_shard: see `ShardsDataset`.
    """

    def __init__(
        self, *, folder: str, samples_per_shard: int = 256, metadata: dict | None = None
    ) -> None:
        self._folder = location(folder)
        self._samples_per_shard = samples_per_shard
        self.metadata = metadata

    def load(self) -> dict[str, PredictionShards]:
        """Open every set; there may be none.

        Raises:
            ProjectError: if one is damaged, or the store does not answer.
        """
        try:
            folders = folders_in(self._folder)
        except OSError as error:
            raise UnreachableError(one_line(error)) from error
        return {one.name: PredictionShards(one) for one in folders if has_index(one)}

    def save(self, data: dict[str, ShardBuild]) -> None:
        """Run the builds, one after the other; see `ShardsDataset.save`."""
        for name, build in data.items():
            PredictionShardsDataset(
                filepath=str(self._folder / name), samples_per_shard=self._samples_per_shard
            ).save(build)

    def _describe(self) -> dict[str, object]:
        return {"folder": str(self._folder), "samples_per_shard": self._samples_per_shard}
