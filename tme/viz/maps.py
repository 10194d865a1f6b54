"""Pictures of the cells: by type and fate, one per arm and day, and a close-up of the tumour's edge."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from matplotlib.colors import to_rgb
from matplotlib.patches import Patch

from tme.viz import style
from tme.viz.curves import pages
from tme.viz.load import Missing, Run
from tme.viz.sheet import LatticeSheet
from tme.viz.space import lattice_shape, pick_hours, tumour_region, typical_replicates, voxel_of
from tme.viz.style import (
    CELL_COLOURS,
    CELL_NAMES,
    FATE_COLOURS,
    FATE_NAMES,
    OWN_COLOURS,
    Drawn,
    arm_name,
    day_text,
)

MARGIN_VOXELS = 6
DRAW_ORDER = (
    "normal",
    "stroma",
    "caf",
    "tumour",
    "macrophage",
    "neutrophil",
    "mdsc",
    "dendritic",
    "b_cell",
    "nk",
    "cd4",
    "cd8",
    "treg",
)  # later ones on top
CLOSE_UP_UM = 800.0


def categories() -> tuple[list[str], np.ndarray]:
    """Keys and colours (n, 3) uint8 of what a voxel can show: 0 is empty, higher ones cover lower ones."""
    keys, colours = ["empty"], ["#FFFFFF"]
    for kind in DRAW_ORDER:
        keys.append(kind)
        colours.append(CELL_COLOURS[kind])
        if kind == "tumour":
            keys += [f"dead_{f}" for f in FATE_COLOURS]
            colours += list(FATE_COLOURS.values())
    keys += ["other", *(f"own_{k}" for k in range(len(OWN_COLOURS)))]
    colours += ["#8C6D1F", *OWN_COLOURS]
    return keys, (255 * np.array([to_rgb(c) for c in colours])).round().astype(np.uint8)


KEYS, PALETTE = categories()


def own_types(tables: Iterable[dict[str, np.ndarray]]) -> tuple[str, ...]:
    """Cell types of these tables that have no colour of their own, by name; they take those of the cycle in turn."""
    return tuple(sorted({str(k) for cells in tables for k in np.unique(np.asarray(cells["cell_type"]).astype(str))} - set(KEYS)))


def classify(cells: dict[str, np.ndarray], own: tuple[str, ...] = ()) -> np.ndarray:
    """Category (n,) of each cell: its type, or its fate if it is a tumour corpse; 0 for other dead cells.

    `own`: types without a colour of their own that take one of the cycle; the rest is drawn as other.
    """
    kind = np.asarray(cells["cell_type"], dtype=object)
    fate = np.asarray(cells.get("fate", np.full(kind.size, "alive")), dtype=object)
    out = np.full(kind.size, KEYS.index("other"), np.int8)
    for name in np.unique(kind.astype(str)):
        if name in KEYS:
            out[kind == name] = KEYS.index(name)
    for k, name in enumerate(own):
        out[kind == name] = KEYS.index(f"own_{k % len(OWN_COLOURS)}")
    dead = ~np.isin(fate.astype(str), ("alive", ""))
    out[dead & (kind != "tumour")] = 0
    for name in FATE_COLOURS:
        out[(kind == "tumour") & (fate == name)] = KEYS.index(f"dead_{name}")
    return out


def paint(
    cells: dict[str, np.ndarray], shape: tuple[int, int, int], dx: float, view: str, own: tuple[str, ...] = ()
) -> np.ndarray:
    """Category picture (ny, nx): the central z slice, or the topmost category along z ("projection")."""
    category = classify(cells, own)
    iz, iy, ix = voxel_of(cells, dx)
    inside = (ix >= 0) & (ix < shape[2]) & (iy >= 0) & (iy < shape[1])
    if view == "slice" and shape[0] > 1:
        inside &= iz == shape[0] // 2
    image = np.zeros(shape[1:], np.int8)
    np.maximum.at(image, (iy[inside], ix[inside]), category[inside])
    return image


def crop_of(images: list[np.ndarray]) -> tuple[slice, slice]:
    """The window that holds everything painted in any picture, with a margin."""
    seen = np.any([image > 0 for image in images], axis=0)
    if not seen.any():
        return slice(None), slice(None)
    out = []
    for axis in (1, 0):
        used = np.flatnonzero(seen.any(axis=axis))
        out.append(
            slice(max(0, used[0] - MARGIN_VOXELS), min(seen.shape[1 - axis], used[-1] + 1 + MARGIN_VOXELS))
        )
    return out[0], out[1]


def maps(run: Run) -> list[Drawn]:
    """Cells by type and fate, a row per arm and a column per day; 3D runs as central slice and projection."""
    replicate_of = typical_replicates(run)
    arms = [a for a in run.arms if a in replicate_of]
    pairs = [(a, replicate_of[a]) for a in arms]
    hours = pick_hours(run, run.shared_hours(pairs))
    if not hours:
        raise Missing("the arms share no snapshot hour")
    dx = run.lattice[1]
    read = {(a, h): run.cells(a, replicate_of[a], h, ["cell_type", "fate"]) for a in arms for h in hours}
    if any("cell_type" not in c for c in read.values()):
        raise Missing("snapshots have no cell_type column")
    shape = tuple(np.max([lattice_shape(run, c, dx) for c in read.values()], axis=0))
    own = own_types(read.values())
    out = []
    for view in ("slice", "projection") if shape[0] > 1 else ("slice",):
        images = {key: paint(c, shape, dx, view, own) for key, c in read.items()}
        crop = crop_of(list(images.values()))
        images = {key: image[crop] for key, image in images.items()}
        for page, group in pages(arms, 5):
            out.append(_map_sheet(run, group, hours, images, dx, view, page, shape, replicate_of, own))
    return out + _close_ups(run, arms, hours, read, shape, dx, own)


def _map_sheet(run, arms, hours, images, dx, view, page, shape, replicate_of, own) -> Drawn:
    present = sorted(set(np.unique(np.concatenate([i.ravel() for i in images.values()])).tolist()) - {0})
    first = images[arms[0], hours[0]]
    names = {a: style.wrapped(arm_name(a), 420) for a in arms}
    flat = len(hours) == 1  # one day: the arms side by side
    lines = 1 + max(name.count("\n") for name in names.values())
    sheet, columns = sheet_with_legend(
        present,
        *((1, len(arms)) if flat else (len(arms), len(hours))),
        first.shape,
        left=75 + (0 if flat else 34 * (lines - 1)),
        top=21 + 34 * (lines if flat else 1),
        panel_px=510 if len(hours) > 2 else 800,
    )
    colours = style.arm_colours(run.arms, run.control)
    for i, arm in enumerate(arms):
        bold = {"color": colours[arm], "fontweight": "bold"}
        if not flat:
            _beside(sheet, i, names[arm], **bold)
        for j, hour in enumerate(hours):
            panel = sheet.show(*((j, i) if flat else (i, j)), PALETTE[images[arm, hour]])
            if flat:
                panel.title(names[arm], fontsize=style.FONT_PT, **bold)
            elif i == 0:
                panel.title(day_text(hour), fontsize=style.FONT_PT)
            if i == 0 if flat else i == len(arms) - 1 and j == 0:
                sheet.scale_bar(panel, dx)
    if flat:
        _beside(sheet, 0, day_text(hours[0]))
    add_legend(sheet, present, columns, own)
    where = {"slice": "central z slice, " if shape[0] > 1 else "", "projection": "projection along z, "}[view]
    text = (
        f"Cells on the lattice ({where}replicate {replicate_of[arms[0]]}, the one nearest to the "
        f"arms' means). "
        f"One square is one {dx:g} µm voxel; where cells share a voxel the T cell covers the others. "
        f"All panels "
        f"have one scale. {_map_words(arms, hours, images)}"
        f"{run.apart([(a, replicate_of[a]) for a in arms], hours)}"
    )
    title = "Maps of cells" + (" (projection)" if view == "projection" else "")
    return Drawn(f"maps{'_projection' if view == 'projection' else ''}{page}", title, sheet.figure, text)


def _beside(sheet: LatticeSheet, row: int, words: str, **options) -> None:
    """Name a row of pictures, upright on its left."""
    x, y = sheet.corner(row, 0)
    options = {"fontsize": style.FONT_PT, **options}
    sheet.text(x - 18, y + sheet.height_px / 2, words, rotation=90, ha="right", va="center", **options)


LEGEND_COLUMNS = 4
LEGEND_COLUMN_PX = 350


def sheet_with_legend(present: list[int], rows: int, columns: int, shape, **options):
    """A sheet with room for its legend below, and the legend's columns: as many as the page is wide for."""
    for across in range(LEGEND_COLUMNS, 0, -1):
        bottom = 40 + 44 * -(-len(present) // across)
        sheet = LatticeSheet(rows, columns, shape, bottom=bottom, **options)
        if sheet.page[0] >= across * LEGEND_COLUMN_PX:
            break
    return sheet, across


def add_legend(sheet: LatticeSheet, present: list[int], columns: int, own: tuple[str, ...] = ()) -> None:
    """Swatches of the categories that occur, below the pictures."""
    handles = [
        Patch(facecolor=PALETTE[k] / 255, edgecolor="#777777", lw=0.4, label=legend_name(KEYS[k], own))
        for k in present
    ]
    sheet.figure.legend(
        handles=handles,
        loc="lower center",
        ncols=min(columns, len(handles)),
        columnspacing=1.2,
        handlelength=1.0,
        handleheight=1.0,
        borderaxespad=0.2,
        labelspacing=0.35,
    )


def legend_name(key: str, own: tuple[str, ...] = ()) -> str:
    if key.startswith("own_"):
        return ", ".join(own[int(key[4:]) :: len(OWN_COLOURS)])
    if key.startswith("dead_"):
        return f"dead: {FATE_NAMES[key[5:]]}"
    return CELL_NAMES.get(key, key)


def _map_words(arms, hours, images) -> str:
    """Share of corpses among tumour voxels, at the day with most of them."""
    out = []
    for arm in arms:
        shares = []
        for hour in hours:
            image = images[arm, hour]
            dead = np.isin(image, [KEYS.index(f"dead_{f}") for f in FATE_COLOURS]).sum()
            shares.append(dead / max(dead + (image == KEYS.index("tumour")).sum(), 1))
        worst = int(np.argmax(shares))
        out.append(f"{arm_name(arm)} {100 * shares[worst]:.0f} % ({day_text(hours[worst])})")
    return f"Corpses among tumour voxels shown, at most: {', '.join(out)}."


def _close_ups(run: Run, arms: list[str], hours: list[float], read, shape, dx: float, own) -> list[Drawn]:
    """The right-hand edge of each tumour at cell resolution, a day after treatment and at the end."""
    days = hours[1:2] + hours[-1:] if len(hours) > 2 else hours[-1:]
    half = int(CLOSE_UP_UM / dx / 2)
    if shape[1] < 3 * half or shape[2] < 3 * half:
        return []
    windows = {}
    for arm in arms:
        for hour in days:
            corner = _right_edge(read[arm, hour], shape, dx, half)
            if corner is not None:
                windows[arm, hour] = corner
    if not windows:
        return []
    return [
        _close_up_sheet(run, group, days, read, windows, shape, dx, half, page, own)
        for page, group in pages(arms, 5)
    ]


def _right_edge(cells, shape, dx: float, half: int) -> tuple[int, int] | None:
    """Lower left voxel (y, x) of a window centred on the edge, to the right of the centre of mass."""
    region = tumour_region(cells, shape, dx)[shape[0] // 2]
    if region.sum() < 4 * half or region.all():
        return None
    rows, columns = np.nonzero(region)
    y = int(rows.mean())
    x = int(columns[np.abs(rows - y) <= 1].max(initial=int(columns.max())))
    return int(np.clip(y - half, 0, shape[1] - 2 * half)), int(np.clip(x - half, 0, shape[2] - 2 * half))


def _close_up_sheet(run, arms, days, read, windows, shape, dx, half, page, own) -> Drawn:
    pictures = {}
    for key, (y, x) in windows.items():
        pictures[key] = paint(read[key], shape, dx, "slice", own)[y : y + 2 * half, x : x + 2 * half]
    present = sorted(set(np.unique(np.concatenate([p.ravel() for p in pictures.values()])).tolist()) - {0})
    sheet, columns = sheet_with_legend(
        present, len(days), len(arms), (2 * half, 2 * half), top=72, panel_px=600
    )
    colours = style.arm_colours(run.arms, run.control)
    for i, hour in enumerate(days):
        x, y = sheet.corner(i, 0)
        sheet.text(x - 18, y + sheet.height_px / 2, day_text(hour), rotation=90, ha="right", va="center")
        for j, arm in enumerate(arms):
            image = pictures.get((arm, hour), np.zeros((2 * half, 2 * half), np.int8))
            panel = sheet.show(i, j, PALETTE[image])
            if i == 0:
                panel.title(style.wrapped(arm_name(arm), sheet.width_px), color=colours[arm], fontweight="bold")
            if i == len(days) - 1 and j == 0:
                sheet.scale_bar(panel, dx)
    add_legend(sheet, present, columns, own)
    text = (
        f"Windows of {2 * half * dx:g} µm, centred where the tumour ends to the right of its centre of mass"
        f"{', central z slice' if shape[0] > 1 else ''}. One square is one voxel of {dx:g} µm; where "
        f"cells share "
        f"a voxel the T cell covers the others."
    )
    return Drawn(f"maps_close{page}", "The tumour's edge, close up", sheet.figure, text)
