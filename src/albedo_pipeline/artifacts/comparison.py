"""The results of a comparison of estimators, as one folder."""

import json
from dataclasses import dataclass

import pandas as pd
from kedro.io import AbstractDataset

from albedo_pipeline.artifacts.tables import TableDataset
from albedo_pipeline.errors import ProjectError, one_line
from albedo_pipeline.runtime.atomic_files import replaced_folder
from albedo_pipeline.runtime.remote_folder import local_copy
from albedo_pipeline.runtime.storage import is_remote, location, make_folder


@dataclass(frozen=True)
class Comparison:
    """What the report shows of a comparison."""

    results: dict
    """Protocol, lineage, estimators, scores, paired differences, published numbers."""
    pictures: list[dict]
    """Rows of the gallery: `sample_id`, and `pictures`, data URIs by the name of their column."""
    per_sample: pd.DataFrame | None = None
    """Scores of every sample and estimator; None if the comparison was loaded."""
    table: pd.DataFrame | None = None
    """Means and differences, one row for each split, estimator and measure; None as above."""
    latex: str = ""
    """The table of the main measures, in LaTeX; empty as above."""


class ComparisonDataset(AbstractDataset[Comparison, Comparison | None]):
    """A folder with `results.json`, `pictures.json`, two Parquet tables and `table.tex`.

    Args:
        folder: the folder, or its URL; it is replaced in one step when a save succeeds.
    """

    def __init__(self, *, folder: str, metadata: dict | None = None) -> None:
        self._folder = location(folder)
        self.metadata = metadata

    def load(self) -> Comparison | None:
        """Read results and pictures; None if nothing was compared.

        Raises:
            ProjectError: if a file is damaged.
        """
        folder = local_copy(self._folder)
        if is_remote(folder) or not folder.is_dir():
            return None
        try:
            results, pictures = (
                json.loads((folder / name).read_text(encoding="utf-8"))
                for name in ("results.json", "pictures.json")
            )
        except (OSError, ValueError) as error:
            raise ProjectError(
                f"{self._folder}: damaged ({one_line(error)}); run the pipeline compare again"
            ) from error
        return Comparison(results, pictures)

    def save(self, data: Comparison) -> None:
        """Write all files."""
        make_folder(self._folder.parent)
        with replaced_folder(self._folder) as folder:
            for name, content in (("results", data.results), ("pictures", data.pictures)):
                text = json.dumps(content, indent=2)
                (folder / f"{name}.json").write_text(text, encoding="utf-8")
            for name, table in (("per_sample", data.per_sample), ("table", data.table)):
                assert table is not None  # only a loaded comparison has none
                path = str(folder / f"{name}.parquet")
                TableDataset(filepath=path, written_by="compare").save(table)
            (folder / "table.tex").write_text(data.latex, encoding="utf-8")

    def _describe(self) -> dict[str, object]:
        return {"folder": str(self._folder)}
