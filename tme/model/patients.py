"""Virtual patients: settings of a config drawn from a cohort of the library.

    >>> import tme
    >>> config = tme.load_config("configs/quick.yaml")                # doctest: +SKIP
    >>> one, two = tme.patients(config, 2, seed=7)                    # doctest: +SKIP
    >>> model = tme.TumourModel(config.with_values(one), arm="control")  # doctest: +SKIP

A patient is a mapping of dotted keys to numbers. Behind each factor stands a normal number, keyed by seed, cohort, key and
patient, so that patient 5 is the same however many are drawn and whatever else varies without being correlated with it.
"""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np

from tme.config.errors import ConfigError, Fault, listed, nearest
from tme.kernels.rng import Stream, normals
from tme.library.alterations import ADDED
from tme.model.registry import tumour_overrides


def patients(config: Any, n: int, seed: int = 1, cohort: str = "patients") -> list[dict[str, float]]:
    """`n` patients of a cohort: dotted settings of `config` (for `config.with_values`). What the config lacks is left out.

    ConfigError for a cohort that its library does not have, ValueError where `n` is below 0.
    """
    known = config.library.cohorts
    if cohort not in known:
        raise ConfigError([Fault("patients", 0, "cohort", f"unknown cohort '{cohort}'", listed(known), nearest(cohort, known))])
    if n < 0:
        raise ValueError(f"n is {n}; expected at least 0")
    entry = known[cohort]
    z = correlated(cohort, entry, n, seed)
    columns = {}
    for k, varied in enumerate(entry.varies.values()):
        place = setting_of(config, varied.of)
        if place is not None:
            columns[place[0]] = applied(config, *place, quantile(z[k], varied.number))
    return [{key: float(values[i]) for key, values in columns.items()} for i in range(n)]


def correlated(cohort: str, entry: Any, n: int, seed: int) -> np.ndarray:
    """Normal numbers (keys, n) float64 of mean 0 and deviation 1, with the correlations of the cohort."""
    z = np.empty((len(entry.varies), n))
    for k, name in enumerate(entry.varies):
        words = (f"{cohort}/{name}/{i}".encode() for i in range(n))
        uid = np.array([int.from_bytes(hashlib.blake2b(w, digest_size=8).digest(), "little") for w in words], np.uint64)
        normals(np.uint64(seed), int(Stream.TRAIT), 0, uid, 0, z[k])
    out = np.zeros_like(z)
    for row, weights in enumerate(np.linalg.cholesky(entry.matrix())):
        for column in np.flatnonzero(weights):  # in order, so that what is not correlated changes no bit
            out[row] += weights[column] * z[column]
    return out


def quantile(z: np.ndarray, number: Any) -> np.ndarray:
    """Values (n,) float64 within the range of a number: half below its value and half above, even on a log scale (linear from 0)."""
    share = np.array([2.0 * abs(0.5 * math.erfc(-x / math.sqrt(2.0)) - 0.5) for x in z])  # from the median, 0, to an end, 1
    end = np.where(z < 0.0, number.range[0], number.range[1])
    if number.range[0] <= 0.0:
        return number.value + (end - number.value) * share
    return number.value * np.power(end / number.value, share)


def setting_of(config: Any, key: str) -> tuple[str, float] | None:
    """The key that a config takes and the number it has there; None where it has no such thing."""
    kind, _, rest = key.partition(".")
    if kind == "tumour":
        part, _, trait = rest.partition(".")
        if part != "traits":
            return key, float(getattr(config.tumour, rest))
        return key, config.tumour.traits.get(trait, 0.0 if trait == ADDED else 1.0)
    if kind == "mechanisms":
        group, _, name = rest.partition(".")
        return key, tumour_overrides(config).get(group, {}).get(name, config.registry[group][name].value)
    density = config.populations.get(rest)
    if density is None:
        return None
    for word, value in (("per_mm2", density.per_mm2), ("share", density.share)):
        if value is not None:
            return f"{key}.{word}", value
    start = config.library.cells[rest].start
    word = "per_mm2" if start.per_mm2 else "share"
    return f"{key}.{word}", float(getattr(start, word) or 0.0)


def applied(config: Any, setting: str, now: float, factor: np.ndarray) -> np.ndarray:
    """The numbers that factors (n,) make of a setting, within what a config takes."""
    values = now + factor if setting.endswith(f".{ADDED}") else now * factor
    if setting.startswith("mechanisms."):
        _, group, name = setting.split(".")
        p = config.registry[group][name]
        return np.clip(values, p.low, p.high)
    most = {"cv": 1.5, "share": 1.0}.get(setting.rpartition(".")[2], np.inf)
    return np.minimum(values, most)
