"""`--to zarr`: the fields of all chosen snapshots as one dataset that xarray opens, `xarray.open_zarr(PATH)`.

Dimensions arm, replicate, time (h since day 0), z, y, x (um); one variable a field with its unit; NaN where there is no
snapshot. Zarr format 2, one chunk a snapshot and field, so that nothing larger is held in memory.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np

from tme.experiments.run_directory import RunError
from tme.experiments.snapshots import Frame
from tme.exporting.contract import Choice, Format

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_+-]*")


class Zarr(Format):
    """A dataset of fields."""

    name, about, ending = "zarr", "fields as one dataset, for xarray", ".zarr"
    needs = (("xarray", "spatial"), ("zarr", "spatial"))

    def is_folder(self, path: Path) -> bool:
        """Always."""
        return True

    def write(self, run: Any, choice: Choice, place: Path) -> tuple[str, ...]:
        """The store, snapshot by snapshot."""
        import xarray
        import zarr

        chosen = choice.of(run)
        frame = Frame.of(run, chosen)
        for name in frame.units:
            if not _NAME.fullmatch(name) or name in frame.axes:
                raise RunError(f"a field is called {name!r}, which cannot be the name of a variable; expected letters, digits and _")
        xarray.Dataset(coords=frame.coordinates(), attrs=frame.attributes).to_zarr(place, mode="a", zarr_format=2, consolidated=False)
        store = zarr.open_group(place, mode="r+", zarr_format=2)
        for name, unit in frame.units.items():
            about = {"_ARRAY_DIMENSIONS": list(frame.dims), "units": unit}
            store.create_array(name, shape=frame.shape, chunks=(1, 1, 1, *frame.shape[3:]), dtype="float32", fill_value=np.nan, attributes=about)
        for snapshot in chosen:
            for name, values in frame.of_snapshot(snapshot).items():
                store[name][frame.place(snapshot)] = values
        zarr.consolidate_metadata(store.store, zarr_format=2)
        return ()
