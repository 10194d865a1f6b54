"""What names in a table of cells probably mean: types, coordinates, markers, units. A guess says whether it is sure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from tme.config.errors import nearest


@dataclass(frozen=True)
class Guess:
    """What a name is taken for, and why one should look at it; no doubt, no text."""

    value: str
    doubt: str = ""


# Words of cell types, most specific first: immune cells before the tumour that they are in. (pattern, our type, doubt)
TYPES: tuple[tuple[str, str, str], ...] = (
    (r"^$|unknown|undefined|unassigned|unclassified|^others?$|artefact|artifact|debris|doublet", "ignore", ""),
    (r"dead|apopto|necro", "ignore", "dead cells are left out"),
    (r"endothel|vessel|vascul|capillar|cd31|lymphatic|erythro|red blood|platelet", "ignore", "vessels are drawn by the model, not taken from the table"),
    (r"treg|regulatory t|foxp3", "treg", ""),
    (r"\bnkt?\b|natural killer|cd56|ncam1", "nk", ""),
    (r"mdsc|myeloid.derived", "mdsc", ""),
    (r"neutrophil|\bpmn\b|ly6g|cd66b", "neutrophil", ""),
    (r"granulocyte|eosinophil|mast", "neutrophil", "some granulocyte"),
    (r"dendritic|\b[cpm]?dcs?\d?\b|cd11c", "dendritic", ""),
    (r"macrophage|\btams?\b|\bm[12]\b|\bm0\b|cd68|cd163|cd206|f4[/ -]?80|kupffer|microglia|histiocyte", "macrophage", ""),
    (r"monocyte|myeloid|cd14\b|cd11b", "macrophage", "some myeloid cell"),
    (r"\bb[ _-]?cells?\b|\bb[ _-]?lymphocyte|cd20\b|cd19\b|cd79", "b_cell", ""),
    (r"plasma", "b_cell", "plasma cells are taken as B cells"),
    (r"cd8|cytotoxic|\bctls?\b", "cd8", ""),
    (r"cd4\b|cd4[^0-9]|t[ _-]?helper|\bth\d*\b|tconv", "cd4", ""),
    (r"\bt[ _-]?cells?\b|\bt[ _-]?lymphocyte|cd3\b|cd3[^0-9]|lymphocyte|\btils?\b", "cd8", "a T cell of unsaid kind; cd4 and treg are others"),
    (r"fibroblast|\bm?y?cafs?\b|\bicafs?\b", "caf", ""),
    (r"stroma|mesenchym|smooth muscle|pericyte|muscle|desmoplas", "caf", "stroma is taken as fibroblasts"),
    (r"keratinocyte|hepatocyte|acinar|adipocyte|enterocyte|goblet|alveolar|pneumocyte|neuron|astrocyte|oligodendro|normal|healthy|benign", "normal", "normal tissue around the tumour"),
    (r"tumou?r|cancer|malignan|neoplas|carcinoma|melanoma|sarcoma|gliom|glioblast|keratin|pan ?-?ck\b|\bck\d*\b|\b(b16|4t1|mc38|ct26|ll[/ -]?2|kpc?)\b", "tumour", ""),
    (r"epitheli|epcam|e-?cadherin", "tumour", "epithelium may be normal"),
    (r"pd-?l1|cd274", "tumour", "PD-L1 is on tumour cells and macrophages"),
    (r"pd-?1|cd279|pdcd1", "cd8", "PD-1 is on several T cells"),
)  # fmt: skip

# Markers -> what they may set: words of their column's name. (names, trait or state, doubt)
MARKERS: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (("SLC7A11", "XCT"), "xct", ""),
    (("GPX4",), "gpx4_trait", ""),
    (("FSP1", "AIFM2"), "fsp1", "FSP1 is AIFM2 here, not the fibroblast marker S100A4"),
    (("ACSL4",), "acsl4", ""),
    (("TFRC", "CD71", "TFR1"), "tfr1", ""),
    (("NFE2L2", "NRF2"), "nrf2", ""),
    (("PDL1", "CD274", "B7H1"), "pdl1", ""),
    (("B2M", "H2KB", "H2DB", "H2K1", "H2D1", "HLAABC", "HLAA", "HLAB", "HLAC", "MHCI", "MHC1"), "mhc1", ""),
    (("FTH1", "FTL", "FERRITIN"), "ferritin", ""),
)
STATES = ("pdl1", "mhc1", "ferritin")  # of these; the rest are traits

PLACE_WORDS = {"centroid": 3, "center": 3, "centre": 3, "position": 3, "pos": 3, "coord": 3, "coordinate": 3, "coordinates": 3, "location": 3, "loc": 3,
               "absolute": 3, "global": 4, "spatial": 4, "um": 3, "micron": 3, "microns": 3, "µm": 3, "μm": 3, "cell": 1,
               "local": -2, "min": -6, "max": -6, "std": -6, "size": -6, "tile": -4, "array": -5, "umap": -9, "tsne": -9, "pca": -9}  # fmt: skip
TYPE_WORDS = ("celltype", "celltypes", "phenotype", "class", "classification", "annotation", "cluster", "label", "population", "type", "subtype", "ident", "lineage")
REGION_WORDS = ("region", "sample", "fov", "image", "slide", "patient", "donor", "core", "batch", "roi", "slice", "section", "field", "mouse", "animal")
ID_WORDS = ("id", "cellid", "objectid", "cell", "object", "index", "barcode", "name")
UNIT_WORDS = {"um": "um", "µm": "um", "μm": "um", "micron": "um", "microns": "um", "micrometer": "um", "micrometre": "um", "mm": "mm", "nm": "nm", "px": "px", "pxl": "px", "pixel": "px", "pixels": "px"}  # fmt: skip


def words(name: str) -> list[str]:
    """Lower-case words of a name: split at signs, spaces and where small letters turn into capitals."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Za-z])(?=\d)(?=\d*$)", " ", name)
    return [w.lower() for w in re.split(r"[^A-Za-z0-9µμ]+", spaced) if w]


def cell_type(name: str, known: Iterable[str]) -> Guess:
    """Our type for a name of the table's; `ignore` with a doubt where none is near."""
    known = [*known, "ignore"]
    text = re.sub(r"[_.]+", " ", name.lower().strip())
    said = re.sub(r"\b[a-z0-9]+(?:neg\b|[-−–](?=\s|$|[,;/+]|cd\d))", " ", text)  # CD8-, CD3neg: what a cell is not
    for pattern, kind, doubt in TYPES:
        if re.search(pattern, said if said.strip() else text) and kind in known:
            return Guess(kind, doubt)
    near = nearest(text, known)
    return Guess(near, "only the name is alike") if near else Guess("ignore", "the name says nothing to this program")


def pairs(columns: Iterable[str]) -> list[tuple[str, str, str]]:
    """Columns (x, y, z or "") that may be coordinates, the likeliest first."""
    there = list(dict.fromkeys(columns))
    found: dict[tuple[str, str, str], float] = {}
    for name in there:
        for swap in (*letters(name), *digits(name), *image_axes(name)):
            y, z = swap
            if y in there and y != name:
                found.setdefault((name, y, z if z in there else ""), 0.0)
    for pair in found:
        said = words(pair[0])
        found[pair] = sum(PLACE_WORDS.get(w, 0) for w in said) + 2 * (len(said) == 1) - 0.01 * there.index(pair[0]) / len(there)
    return sorted(found, key=lambda p: -found[p])


def letters(name: str) -> list[tuple[str, str]]:
    """Names with an x that stands alone replaced by y and by z: AbsoluteX, x_um, Centroid X µm, X:X."""
    out = []
    for m in re.finditer(r"(?<![A-Za-z])[xX](?![A-Za-z])|(?<=[a-z])X(?![a-z])", name):
        small = m.group() == "x"
        swapped = [name[: m.start()] + (c if small else c.upper()) + name[m.end() :] for c in "yz"]
        out.append((swapped[0], swapped[1]))
    if re.match(r"^[xX][a-z_]*$", name):
        out.append((("y" if name[0] == "x" else "Y") + name[1:], ("z" if name[0] == "x" else "Z") + name[1:]))
    return out


def digits(name: str) -> list[tuple[str, str]]:
    """spatial_0, spatial_1, spatial_2: columns of an array in an .h5ad."""
    return [(name[:-1] + "1", name[:-1] + "2")] if re.search(r"(spatial|coord|centroid|position)\w*_0$", name.lower()) else []


def image_axes(name: str) -> list[tuple[str, str]]:
    """Columns of an image run along x, rows along y."""
    return [(name.replace("col", "row"), "")] if re.search(r"(?<![a-z])(pxl|image)_?col", name.lower()) else []


def unit_said(name: str) -> str:
    """The unit in a column's name, or ""."""
    return next((UNIT_WORDS[w] for w in words(name) if w in UNIT_WORDS), "")


def marker(name: str) -> tuple[str, str] | None:
    """What a marker's column may set (a trait or state), and a doubt; None where it says nothing to this program."""
    parts = [w.upper() for w in re.split(r"[^A-Za-z0-9]+", name) if w]
    joined = {*parts, *(a + b for a, b in pairwise(parts)), *("".join(p) for p in zip(parts, parts[1:], parts[2:]))}
    for names, what, doubt in MARKERS:
        if joined & set(names):
            return what, doubt
    return None
