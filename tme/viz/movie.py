"""Movies of the cells: one per arm and one of all arms side by side, a picture for every snapshot."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tme.viz import style
from tme.viz.load import Missing, Run
from tme.viz.maps import KEYS, PALETTE, crop_of, legend_name, own_types, paint
from tme.viz.space import lattice_shape, typical_replicates
from tme.viz.style import arm_name, day_text

KINDS = ("mp4", "gif")
SIDE_PX = 480  # of one arm's picture, about
TOP_PX, LINE_PX, KEY_PX = 34, 24, 230
EXTRA = 'movies in mp4 need imageio-ffmpeg: pip install "tme[movie]"; --to gif needs nothing more'


class MissingExtra(Exception):
    """A part that is not installed; the message says what to install."""

    exit_code = 2


def write(run_dir: str | Path, kind: str = "mp4", per_s: float = 2.0) -> list[Path]:
    """Write figures/movie_<arm> and, with several arms, figures/movie_all; returns their paths.

    Shown is the replicate nearest to the arms' means, in three dimensions the topmost cell along z. `Missing` where
    no snapshot of cells is there, `MissingExtra` for mp4 without imageio-ffmpeg.
    """
    if kind == "mp4":
        _ffmpeg()
    run = Run(run_dir)
    chosen = typical_replicates(run)
    arms = [a for a in run.arms if a in chosen]
    hours = run.shared_hours([(a, chosen[a]) for a in arms])
    if not hours:
        raise Missing("the arms share no snapshot hour")
    dx = run.lattice[1]
    read = {(a, h): run.cells(a, chosen[a], h, ["cell_type", "fate"]) for a in arms for h in hours}
    if any("cell_type" not in c for c in read.values()):
        raise Missing("snapshots have no cell_type column")
    shape = tuple(int(n) for n in np.max([lattice_shape(run, c, dx) for c in read.values()], axis=0))
    own = own_types(read.values())
    pictures = {key: paint(c, (shape[0], shape[1], shape[2]), dx, "projection", own) for key, c in read.items()}
    window = crop_of(list(pictures.values()))
    pictures = {key: image[window] for key, image in pictures.items()}
    colours = style.arm_colours(run.arms, run.control)
    sets = [(a, [a]) for a in arms] + ([("all", arms)] if len(arms) > 1 else [])
    out = []
    for name, group in sets:
        present = sorted({int(k) for a in group for h in hours for k in np.unique(pictures[a, h])} - {0})
        sheets = (_sheet([(arm_name(a), colours[a], pictures[a, h]) for a in group], day_text(h), present, own, dx) for h in hours)
        path = run.folder / "figures" / f"movie_{name}.{kind}"
        _store(path, kind, sheets, per_s)
        out.append(path)
    return out


def _font(size: int, bold: bool = False) -> ImageFont.FreeTypeFont:
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(str(Path(mpl.get_data_path()) / "fonts" / "ttf" / name), size)


def _sheet(panels: list[tuple[str, str, np.ndarray]], when: str, present: list[int], own: tuple[str, ...], dx: float) -> Image.Image:
    """One picture: arms side by side under their names, the day, a scale bar, the legend below; even width and height."""
    height, width = panels[0][2].shape
    zoom = max(1, round(SIDE_PX / max(height, width)))
    step = max(1, -(-max(height, width) // SIDE_PX)) if zoom == 1 else 1
    wide, high = -(-width // step) * zoom, -(-height // step) * zoom
    page_wide = max((wide + 8) * len(panels) + 8, 2 * KEY_PX)
    columns = max(1, page_wide // KEY_PX)
    page_high = TOP_PX + high + 14 + LINE_PX * -(-len(present) // columns)
    page = Image.new("RGB", (page_wide + page_wide % 2, page_high + page_high % 2), "white")
    pen = ImageDraw.Draw(page)
    for k, (name, colour, codes) in enumerate(panels):
        x = 8 + k * (wide + 8)
        image = Image.fromarray(PALETTE[codes[::step, ::step][::-1]]).resize((wide, high), Image.Resampling.NEAREST)
        page.paste(image, (x, TOP_PX))
        pen.rectangle((x, TOP_PX, x + wide, TOP_PX + high), outline="#999999")
        pen.text((x, 8), name, fill=colour, font=_font(16, bold=True))
    pen.text((page_wide - 10, 8), when, fill="#1a1a1a", font=_font(16), anchor="ra")
    _scale_bar(pen, 20, TOP_PX + high - 14, dx * step / zoom, wide)
    for i, code in enumerate(present):
        x, y = 10 + KEY_PX * (i % columns), TOP_PX + high + 10 + LINE_PX * (i // columns)
        pen.rectangle((x, y + 2, x + 14, y + 16), fill=tuple(int(v) for v in PALETTE[code]), outline="#777777")
        pen.text((x + 22, y), legend_name(KEYS[code], own)[:26], fill="#1a1a1a", font=_font(13))
    return page


def _scale_bar(pen: ImageDraw.ImageDraw, x: float, y: float, um_per_px: float, wide: int) -> None:
    length = max((v for v in (50, 100, 200, 500, 1000, 2000, 5000) if v <= 0.3 * wide * um_per_px), default=20)
    pen.rectangle((x - 6, y - 22, x + max(length / um_per_px, 60) + 6, y + 8), fill="white")
    pen.line((x, y, x + length / um_per_px, y), fill="black", width=4)
    pen.text((x, y - 20), f"{length / 1000:g} mm" if length >= 1000 else f"{length} µm", fill="black", font=_font(13))


def _ffmpeg():
    try:
        import imageio_ffmpeg
    except ImportError as missing:
        raise MissingExtra(EXTRA) from missing
    return imageio_ffmpeg


def _store(path: Path, kind: str, sheets: Iterable[Image.Image], per_s: float) -> None:
    """Write a movie by temporary file and rename."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        (_mp4 if kind == "mp4" else _gif)(temporary, iter(sheets), per_s)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def _gif(path: Path, sheets: Iterator[Image.Image], per_s: float) -> None:
    few = [s.quantize(128, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE) for s in sheets]
    few[0].save(path, format="GIF", save_all=True, append_images=few[1:], duration=round(1000 / per_s), loop=0, disposal=1)


def _mp4(path: Path, sheets: Iterator[Image.Image], per_s: float) -> None:
    first = next(sheets)
    writer = _ffmpeg().write_frames(
        str(path), first.size, fps=per_s, codec="libx264", quality=8, macro_block_size=2,
        output_params=["-r", "25", "-pix_fmt", "yuv420p", "-movflags", "+faststart", "-f", "mp4"],
    )  # fmt: skip
    writer.send(None)
    try:
        for sheet in (first, *sheets):
            writer.send(sheet.tobytes())
    finally:
        writer.close()
