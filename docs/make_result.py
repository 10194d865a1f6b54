"""Draw the picture of a result on the first page: `tme run configs/four_arms.yaml && python docs/make_result.py runs/four_arms-HASH`.

Above the cells of one tumour in every arm on the last day, below the growth of all. Writes docs/figures/result.png.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.patches import Patch

from tme.viz import maps, style
from tme.viz.curves import draw_arm
from tme.viz.load import Run
from tme.viz.space import lattice_shape, typical_replicates

FIGURE = Path(__file__).with_name("figures") / "result.png"


def draw(folder: Path, path: Path = FIGURE, dpi: int = 180) -> None:
    """Draw the picture of a run into `path`; the day is the last of which all arms have a snapshot."""
    run = Run(folder)
    chosen = typical_replicates(run)
    arms = [a for a in run.arms if a in chosen]
    hour = run.shared_hours([(a, chosen[a]) for a in arms])[-1]
    dx = run.lattice[1]
    cells = {a: run.cells(a, chosen[a], hour, ["cell_type", "fate"]) for a in arms}
    shape = tuple(np.max([lattice_shape(run, c, dx) for c in cells.values()], axis=0))
    own = maps.own_types(cells.values())
    images = {a: maps.paint(c, shape, dx, "slice", own) for a, c in cells.items()}
    crop = maps.crop_of(list(images.values()))
    colours = style.arm_colours(run.arms, run.control)
    with rc_context(style.RC):
        figure = style.new_figure(style.PAGE_IN, 4.3)
        rows = figure.add_gridspec(2, 1, height_ratios=(1.75, 2.0))
        top = rows[0].subgridspec(1, len(arms))
        for k, arm in enumerate(arms):
            axes = figure.add_subplot(top[k])
            axes.imshow(maps.PALETTE[images[arm][crop]], origin="lower", interpolation="nearest")
            axes.set(xticks=(), yticks=())
            axes.spines[["top", "right"]].set_visible(True)
            axes.set_title(style.arm_name(arm), color=colours[arm], fontweight="bold")
            if k == 0:
                axes.plot((6, 6 + 1000 / dx), (6, 6), color="black", lw=2, solid_capstyle="butt")
                axes.text(6 + 500 / dx, 9, "1 mm", ha="center", va="bottom", fontsize=style.SMALL_PT)
        below = rows[1].subgridspec(1, 2, width_ratios=(2.4, 1))
        growth = figure.add_subplot(below[0])
        for arm in arms:
            draw_arm(growth, run, arm, "tumour_alive", thin=True)
        growth.set(xlabel=style.TIME_LABEL, ylabel="living tumour cells")
        growth.margins(x=0.01)
        style.from_zero(growth)
        words = figure.add_subplot(below[1])
        words.axis("off")
        present = sorted(set(np.unique(np.concatenate([i.ravel() for i in images.values()])).tolist()) - {0})
        words.legend(handles=[Patch(facecolor=maps.PALETTE[k] / 255, edgecolor="#777777", lw=0.4, label=maps.legend_name(maps.KEYS[k], own)) for k in present],
                     loc="center left", title=f"cells on {style.day_text(hour)}", alignment="left", handlelength=1.0, handleheight=1.0)  # fmt: skip
        path.parent.mkdir(parents=True, exist_ok=True)
        figure.savefig(path, dpi=dpi)


def main(words: list[str]) -> int:
    """Draw the run that is named."""
    if len(words) != 1 or not (Path(words[0]) / "config.resolved.yaml").is_file():
        print("python docs/make_result.py RUN: a run directory is expected", file=sys.stderr)
        return 2
    draw(Path(words[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
