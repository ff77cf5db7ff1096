"""Run the notebooks and store their outputs, small and without anything of this machine.

    python -m tools.notebooks

They run in the project's folder, on the results that are there: those of `make demo`, and the model
of `kedro run --pipelines export`.
"""

import base64
import io
import re
import socket
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from PIL import Image

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
_DRAWING, _PHOTOGRAPH = 720, 480
"""Largest widths of stored pictures, pixels: the text of a drawing has to be readable."""
_DRAWING_BYTES = 36_000
"""Size of a PNG above which a picture is stored as a photograph."""
_TABLE_ID = re.compile(r"\bT_[0-9a-f]{5}")
"""The random id that pandas gives to a styled table."""
_ADDRESS = re.compile(r" at 0x[0-9a-f]+")
"""Where an object is in memory, as Python shows it."""
_FOLDER = re.compile(r"(?<![\w.~])/(?:home|root|tmp|usr|opt|var|mnt|media|private|Users)/\S*")
"""An absolute path of a machine."""


def main() -> None:
    """Run every notebook, and write it with its outputs."""
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        described = notebook.metadata
        folder = {"metadata": {"path": str(ROOT)}}
        NotebookClient(notebook, timeout=600, resources=folder).execute()
        notebook.metadata = described
        tidy(notebook)
        for private in private_texts(notebook):
            raise SystemExit(f"{path.name}: an output names a part of this machine: {private}")
        nbformat.write(notebook, path)
        print(f"{path.relative_to(ROOT)}: {path.stat().st_size / 1024:.0f} kB")


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Keep what a reader wants and what is the same in every run, in place.

    Pictures become small, the ids of tables are counted, and times, memory addresses, and what goes
    to stderr (progress bars, warnings of libraries) are left out.
    """
    ids: dict[str, str] = {}
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        if cell.cell_type != "code":
            continue
        cell.outputs = [o for o in cell.outputs if o.get("name") != "stderr"]
        for data in (output.data for output in cell.outputs if "data" in output):
            if "image/png" in data:
                kind, picture = _small(data.pop("image/png"))
                data[kind] = picture
            for kind in data.keys() & {"text/html", "text/plain"}:
                text = _ADDRESS.sub("", data[kind])
                data[kind] = _TABLE_ID.sub(
                    lambda found: ids.setdefault(found[0], f"T_{len(ids):05x}"), text
                )
        for output in cell.outputs:
            if "metadata" in output:
                output.metadata = {}


def private_texts(notebook: nbformat.NotebookNode) -> list[str]:
    """Absolute paths, and this machine's name, in the outputs."""
    host = re.compile(rf"\b{re.escape(socket.gethostname())}\b")
    shown = "\n".join(texts(notebook))
    return [found[0] for pattern in (_FOLDER, host) for found in pattern.finditer(shown)]


def texts(notebook: nbformat.NotebookNode) -> list[str]:
    """All texts of the outputs, tables and errors included."""
    return [
        str(value)
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for kind, value in {**output, **output.get("data", {})}.items()
        if kind != "data" and not kind.startswith("image/")
    ]


def pictures(notebook: nbformat.NotebookNode) -> list[bytes]:
    """The files of all pictures of the outputs."""
    return [
        base64.b64decode(value)
        for cell in notebook.cells
        for output in cell.get("outputs", ())
        for kind, value in output.get("data", {}).items()
        if kind.startswith("image/")
    ]


def _small(png: str) -> tuple[str, str]:
    """MIME type and base64-coded file of a picture with fewer pixels.

    A drawing is stored as a PNG of 64 colours, a photograph as a JPEG.
    """
    with Image.open(io.BytesIO(base64.b64decode(png))) as image:
        white = Image.new("RGBA", image.size, "white")
        opaque = Image.alpha_composite(white, image.convert("RGBA")).convert("RGB")
    kind, file = "image/png", io.BytesIO()
    drawing = _narrowed(opaque, _DRAWING).quantize(64, dither=Image.Dither.NONE)
    drawing.save(file, "PNG", optimize=True)
    if len(file.getvalue()) > _DRAWING_BYTES:
        kind, file = "image/jpeg", io.BytesIO()
        _narrowed(opaque, _PHOTOGRAPH).save(file, "JPEG", quality=65, optimize=True)
    return kind, base64.b64encode(file.getvalue()).decode("ascii") + "\n"


def _narrowed(image: Image.Image, width: int) -> Image.Image:
    """The picture, at most `width` pixels wide."""
    if image.width <= width:
        return image
    return image.resize((width, round(image.height * width / image.width)))


if __name__ == "__main__":
    main()
