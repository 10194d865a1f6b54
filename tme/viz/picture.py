"""Pictures with few colours: a third of the bytes of a figure in full colour, and quicker to write."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from PIL import Image

MAP_COLOURS = 208  # of the 256 of a picture that shows a colour map


def few_colours(picture: np.ndarray, map_name: str | None = None) -> Image.Image:
    """A picture (height, width, 3) uint8 with a palette of 256 colours, without dither.

    Where it shows a colour map, most of the palette is that map: else smooth fields turn into bands.
    """
    image = Image.fromarray(picture)
    if map_name is None:
        return image.quantize(256, method=Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
    few = image.resize((image.width // 3, image.height // 3), Image.Resampling.NEAREST).quantize(256 - MAP_COLOURS, method=Image.Quantize.FASTOCTREE)
    others = np.array(few.getpalette(), np.uint8).reshape(-1, 3)[: 256 - MAP_COLOURS]
    mapped = mpl.colormaps[map_name](np.linspace(0, 1, MAP_COLOURS), bytes=True)[:, :3]
    palette = Image.new("P", (1, 1))
    palette.putpalette(np.concatenate([mapped, others]).astype(np.uint8).tobytes())
    return image.quantize(palette=palette, dither=Image.Dither.NONE)


def map_of(figure: Figure) -> str | None:
    """The colour map of the figure's pictures, None where it has no picture of numbers."""
    found = (image.get_cmap().name for axis in figure.axes for image in axis.images if (values := image.get_array()) is not None and values.ndim == 2)
    return next(found, None)
