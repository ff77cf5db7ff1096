"""Animations and videos: their frames, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from albedo_pipeline.imaging.io.film import FilmReader, read_film
from albedo_pipeline.imaging.io.film_writer import write_gif, write_mp4
from albedo_pipeline.imaging.io.read import read_colour

av = pytest.importorskip("av")


def frames(count: int, height: int = 48, width: int = 64) -> list[np.ndarray]:
    """Frames of two flat colours each, uint8 [H, W, 3]."""
    result = []
    for number in range(count):
        picture = np.empty((height, width, 3), np.uint8)
        picture[:, : width // 2] = (40 * number, 200, 90)
        picture[:, width // 2 :] = (220, 30, 40 * number)
        result.append(picture)
    return result


def test_the_frames_of_a_gif_are_those_that_were_written(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    write_gif(path, frames(5), 25)
    film = read_film(path)
    assert (film.frames, film.frames_per_second, film.height, film.width) == (5, 25, 48, 64)
    reader = FilmReader(10_000)
    for number, picture in enumerate(frames(5)):
        frame = reader.read(path, number)
        assert np.array_equal(np.rint(255 * frame[..., :3]), picture)
        assert (frame[..., 3] == 1).all()
    assert np.array_equal(reader.read(path, 1)[0, 0], reader.read(path, 1)[0, 0])  # back again
    as_image = read_colour(path, 10_000).pixels
    assert np.allclose(reader.read(path, 0)[..., :3], as_image, rtol=0, atol=1e-6)


def test_a_transparent_pixel_of_a_gif_has_no_alpha(tmp_path: Path) -> None:
    pictures = [Image.new("P", (4, 2), number) for number in (1, 2)]
    for picture in pictures:
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 0, 255])
        picture.putpixel((0, 0), 0)
    path = tmp_path / "a.gif"
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], transparency=0, disposal=2, duration=50
    )
    second = FilmReader(100).read(path, 1)
    assert second[0, 0, 3] == 0
    assert second[1, 3].tolist() == [0, 0, 1, 1]


def test_an_mp4_keeps_colours_and_rate(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    write_mp4(path, frames(6), 24)
    film = read_film(path)
    assert (film.frames, film.frames_per_second, film.height, film.width) == (6, 24, 48, 64)
    reader = FilmReader(10_000)
    for number, picture in enumerate(frames(6)):
        frame = 255 * reader.read(path, number)[..., :3]
        away_from_the_edge = (slice(None), [*range(24), *range(40, 64)])
        error = np.abs(frame - picture)[away_from_the_edge]
        assert error.max() <= 4
    with av.open(str(path)) as container:
        context = container.streams.video[0].codec_context
        assert (context.colorspace, context.color_trc, context.color_range) == (1, 13, 1)


def test_an_hdr_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.codec_context.color_trc = 16
        for picture in frames(2):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        container.mux(stream.encode())
    with pytest.raises(ValueError, match=r"^an HDR video \(PQ\); convert it to EXR frames"):
        FilmReader(10_000).read(path, 0)


@pytest.mark.parametrize("name", ["a.gif", "a.mp4"])
def test_damaged_files_and_large_ones_have_a_reason(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    write = write_gif if name == "a.gif" else write_mp4
    write(path, frames(4), 24)
    with pytest.raises(ValueError, match=r"64 x 48 pixels: more than 0\.001 megapixels"):
        FilmReader(1000).read(path, 0)
    with pytest.raises(ValueError, match=r"it ends after 4 frame\(s\)"):
        FilmReader(10_000).read(path, 4)
    path.write_bytes(path.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"damaged"):
        read_film(path)
    path.unlink()
    with pytest.raises(ValueError, match="no such file"):
        read_film(path)
