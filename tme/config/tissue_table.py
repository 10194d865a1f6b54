"""Read tables of cells: text with a header line (.csv, .tsv, .txt, also .gz), or AnnData's .h5ad.

Only the columns that are asked for are read. Of an .h5ad, `obs` gives columns by their names, every array of up to
three columns in `obsm` gives NAME_0, NAME_1, ..., and each variable is a column of X; `X:NAME` is the variable
where an `obs` column has its name. Rows are counted from 1, the first below the header.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

TEXT = (".csv", ".tsv", ".txt")
SUFFIXES = (*TEXT, ".h5ad")
MISSING = ("", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A")
SEPARATORS = ",\t;"
OBSM_COLUMNS = 3
BLOCK_ROWS = 65536  # of a sparse matrix read at a time


class Unreadable(ValueError):
    """The file is no table that can be read; the text says why."""

    exit_code = 2


def printable(text: str) -> str:
    """A name from a file as it may stand in a message: signs that would act on a terminal are escaped."""
    return text if text.isprintable() else repr(text)[1:-1]


def suffix_of(path: str | Path) -> str:
    """The ending that tells the format: `cells.csv.gz` is .csv."""
    name = Path(path).name.lower()
    return Path(name.removesuffix(".gz")).suffix if not name.endswith(".h5ad.gz") else ".gz"


def columns_of(path: str | Path) -> list[str]:
    """Names of all columns. Unreadable if the file is no table."""
    if suffix_of(path) == ".h5ad":
        with opened(path) as file:
            return list(dict.fromkeys([*file["obs"], *placed(file), *variables(file)]))
    return header(path)[0]


def labels_of(path: str | Path) -> list[str]:
    """Names of the columns that may hold text: all of a text table, `obs` of an .h5ad."""
    if suffix_of(path) == ".h5ad":
        with opened(path) as file:
            return [n for n in file["obs"] if n != "__categories"]
    return list(dict.fromkeys(header(path)[0]))


def read(path: str | Path, numbers: Iterable[str], texts: Iterable[str]) -> pd.DataFrame:
    """Some columns: numbers (a value that is none stays as it is written), texts (an absent one is ""). Unreadable, KeyError."""
    numbers, texts = list(dict.fromkeys(numbers)), list(dict.fromkeys(texts))
    numbers = [n for n in numbers if n not in texts]
    if _kept is None:
        return _read(path, numbers, texts)
    key = (str(path), tuple(numbers), tuple(texts))
    if key not in _kept:
        _kept[key] = _read(path, numbers, texts)
    return _kept[key].copy(deep=False)


_kept: dict[tuple[str, tuple[str, ...], tuple[str, ...]], pd.DataFrame] | None = None


@contextmanager
def read_once() -> Iterator[None]:
    """While this lasts, columns that are asked for again come from memory: for a caller that tries several ways to take one table."""
    global _kept
    before, _kept = _kept, {}
    try:
        yield
    finally:
        _kept = before


def _read(path: str | Path, numbers: list[str], texts: list[str]) -> pd.DataFrame:
    frame = read_h5ad(path, [*numbers, *texts]) if suffix_of(path) == ".h5ad" else read_text(path, numbers, texts)
    for name in texts:
        frame[name] = as_text(frame[name])
    return frame


def as_text(values: Any) -> np.ndarray:
    """Values as str objects (n,): whole numbers without a point, absent ones as ""."""
    series = pd.Series(values)
    if pd.api.types.is_float_dtype(series) and (series.dropna() % 1 == 0).all():
        series = series.astype("Int64")
    out = series.astype(object).where(series.notna(), "")
    return np.array([str(v) for v in out], object)


# ---- text ---------------------------------------------------------------------------------------------
def header(path: str | Path) -> tuple[list[str], str]:
    """Column names and the separator of a text table."""
    try:
        with text_file(path) as file:
            separator = separator_of(file.readline())
            file.seek(0)
            names = next(csv.reader(file, delimiter=separator), [])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise Unreadable(f"cannot be read as a table: {error}") from error
    if not any(n.strip() for n in names):
        raise Unreadable("has no header line")
    return names, separator


def separator_of(line: str) -> str:
    """Comma, tab or semicolon, whichever a header line has most often outside quotes."""
    bare = "".join(line.split('"')[::2])
    return max(SEPARATORS, key=bare.count)


def read_text(path: str | Path, numbers: list[str], texts: list[str]) -> pd.DataFrame:
    """Columns of a text table; a row with too many or too few fields is Unreadable, since its values would be in wrong columns."""
    names, separator = header(path)
    for name in (*numbers, *texts):
        if names.count(name) > 1:
            raise Unreadable(f"has {names.count(name)} columns named {name!r}")
        if name not in names:
            raise KeyError(name)
    columns = {name: names.index(name) for name in (*numbers, *texts)}
    found: dict[str, list[str]] = {name: [] for name in columns}
    append = [(k, found[name].append) for name, k in columns.items()]
    try:
        with text_file(path) as file:
            rows = csv.reader(file, delimiter=separator)
            next(rows, None)
            for number, row in enumerate((r for r in rows if r), 1):
                if len(row) != len(names):
                    raise Unreadable(f"row {number} has {len(row)} fields; the header has {len(names)}")
                for k, add in append:
                    add(row[k])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error, zlib.error) as error:
        raise Unreadable(f"cannot be read as a table: {error}") from error
    return pd.DataFrame({n: as_numbers(v) if n in numbers else pd.Series(v, dtype=object) for n, v in found.items()})


def as_numbers(written: list[str]) -> pd.Series:
    """float64 where all are numbers or absent; else objects, what is no number as it is written."""
    values = pd.to_numeric(pd.Series(written, dtype=object), errors="coerce")
    wrong = [k for k in np.flatnonzero(values.isna()) if written[k].strip() not in MISSING]
    if not wrong:
        return values.astype(float)
    out = values.astype(object)
    for k in wrong:
        out.iloc[k] = written[k]
    return out


def text_file(path: str | Path) -> Any:
    """A text table opened for reading."""
    return (gzip.open if str(path).lower().endswith(".gz") else open)(path, "rt", encoding="utf-8-sig", newline="")


# ---- .h5ad --------------------------------------------------------------------------------------------
def opened(path: str | Path) -> Any:
    """The file as h5py has it; Unreadable where it holds no cells."""
    import h5py

    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise Unreadable(f"cannot be read as .h5ad: {str(error).splitlines()[0]}") from error
    if not isinstance(file.get("obs"), h5py.Group):
        old = "obs" in file
        file.close()
        raise Unreadable("its obs was written by anndata before 0.7; write it anew with a later one" if old else "is no .h5ad: it has no obs")
    return file


def placed(file: Any) -> dict[str, tuple[str, int]]:
    """Columns of coordinates: name -> (array of obsm, column)."""
    out: dict[str, tuple[str, int]] = {}
    for key, node in file["obsm"].items() if "obsm" in file else []:
        shape: tuple[int, ...] = getattr(node, "shape", ())
        if len(shape) == 2 and shape[1] <= OBSM_COLUMNS:
            out |= {f"{key}_{k}": (key, k) for k in range(shape[1])}
    return out


def variables(file: Any) -> dict[str, int]:
    """Variable -> its column of X; the first of those with one name."""
    if "X" not in file or "var" not in file:
        return {}
    names = file["var"][file["var"].attrs.get("_index", "_index")].asstr()[:]
    out: dict[str, int] = {}
    for k, name in enumerate(names):
        out.setdefault(str(name), k)
    return out


def read_h5ad(path: str | Path, names: list[str]) -> pd.DataFrame:
    """Columns of an .h5ad; KeyError for a name it does not have."""
    with opened(path) as file:
        places, genes, frame = placed(file), variables(file), {}
        for name in names:
            if name in file["obs"]:
                frame[name] = observed(file, file["obs"][name])
            elif name in places:
                key, k = places[name]
                frame[name] = file["obsm"][key][:, k]
            elif name.removeprefix("X:") not in genes:
                raise KeyError(name)
        wanted = [n for n in names if n not in frame]
        if wanted:
            frame |= dict(zip(wanted, expression(file["X"], [genes[n.removeprefix("X:")] for n in wanted])))
    if len({len(v) for v in frame.values()}) > 1:
        raise Unreadable("its columns have different lengths")
    return pd.DataFrame(frame)[names]


def observed(file: Any, node: Any) -> Any:
    """One column of obs: plain, categorical, or with a mask of what is absent."""
    import h5py

    if isinstance(node, h5py.Group) and "categories" in node:
        return named(node["categories"], node["codes"][:])
    if isinstance(node, h5py.Group) and "values" in node:
        values = plain(node["values"])
        return pd.Series(values).astype(object).mask(node["mask"][:], None) if "mask" in node else values
    if not isinstance(node, h5py.Dataset) or node.ndim != 1:
        raise Unreadable(f"its obs column {node.name.rsplit('/', 1)[-1]!r} is no list of values")
    if "categories" in node.attrs:  # anndata 0.7
        return named(file[node.attrs["categories"]], node[:])
    return plain(node)


def named(categories: Any, codes: np.ndarray) -> np.ndarray:
    """Values (n,) of a categorical column; None where the code is -1."""
    values = np.empty(len(categories) + 1, object)  # the last one, None, is that of code -1
    values[:-1] = plain(categories)
    return values[codes]


def plain(node: Any) -> np.ndarray:
    """An array of numbers or of text."""
    return node.asstr()[:] if node.dtype.kind in "OS" else node[:]


def expression(node: Any, columns: list[int]) -> list[np.ndarray]:
    """Columns (n,) float64 of X, dense or sparse, without reading all of it where that can be avoided."""
    import h5py

    if isinstance(node, h5py.Dataset):
        return [node[:, k].astype(float) for k in columns]
    n = int(node.attrs["shape"][0])
    indptr = node["indptr"][:]
    if "csc" in str(node.attrs.get("encoding-type", "")):
        out = []
        for k in columns:
            low, high = indptr[k], indptr[k + 1]
            out.append(np.zeros(n))
            out[-1][node["indices"][low:high]] = node["data"][low:high]
        return out
    found = np.zeros((len(columns), n))
    for start in range(0, n, BLOCK_ROWS):
        end = min(n, start + BLOCK_ROWS)
        low, high = indptr[start], indptr[end]
        indices, data = node["indices"][low:high], node["data"][low:high]
        row = np.repeat(np.arange(start, end), np.diff(indptr[start : end + 1]))
        for j, k in enumerate(columns):
            here = indices == k
            found[j, row[here]] = data[here]
    return list(found)
