"""Simple rivals of the simulation, fitted to the same growth curves: what do they explain as well?

Logistic growth with Bliss: dN/dt = r N (1 - N/K) - k(t) N, fitted to the control and the two single arms; the combination is
predicted with both rates, which is independent action. Nothing of the combination is fitted.

Mean field: the same chemistry and immunity without space and without single cells, fitted to all four arms,

    dN/dt = r N (1 - N/K) - f N - b p(t) E N
    dE/dt = (e0 + a (f + b p(t) E) - E) / TAU_E            effectors per cell: drawn by deaths, lost
    dZ/dt = (I/(1 + I) - Z) / TAU_Z,  I = b p(t) E         what IFN-gamma does in the cells
    dA/dt = K_A (1 - A) - k D(t) A                         active GPX4: made, turned over, inactivated by the agent
    f     = u / (1 + (A (1 - s Z) / c)^4)                  ferroptosis where too little GPX4 is left with too little GSH
    D(t)  = sum over doses of exp(-(t - dose)/TAU_D),  p = 1 + q with the checkpoint antibody on board, else 1

GSH follows the import of cystine, of which IFN-gamma takes the share `s` Z, within three hours and so stands at 1 - s Z; the
power is that of cells which differ. `s` is the coupling that space and single cells carry in the simulation; it is fitted once
free and once held at 0. TAU_Z and K_A are those of the pathway. Times in days. Fits are least squares in log(N + 1), with
bounds, from one start: deterministic.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.optimize import least_squares

TAU_D = 1.5  # d, over which an agent's effect fades; held, since daily counts hardly tell it
TAU_E = 2.0  # d, life of effectors at the tumour
TAU_Z = 0.25  # d, of the response to IFN-gamma (`ferroptosis.tau_z`)
K_A = 0.69  # 1/d, turnover of GPX4 (`ferroptosis.k_a`)
STEEP = 4.0  # power of the share of capacity left at which cells die
STEP_D = 0.125
HAS_A, HAS_B = np.array([0.0, 1, 0, 1]), np.array([0.0, 0, 1, 1])  # of the arms control, A, B, both


@dataclass(frozen=True)
class Arms:
    """The arms that a rival knows: control, immune arm A, killing arm B, both; dose days of A and B."""

    control: str
    a: str
    b: str
    both: str
    days_a: tuple[float, ...]
    days_b: tuple[float, ...]
    a_is_immune: bool

    @property
    def names(self) -> tuple[str, str, str, str]:
        """In the order of the models' columns."""
        return self.control, self.a, self.b, self.both


def arms_of(config: Any, contrasts: Sequence[Any], control: str | None) -> Arms | None:
    """The arms of the first contrast against Bliss; None where there is none. The arm with antibodies only is A."""
    for c in contrasts:
        if c.kind == "bliss" and control is not None:
            both, a, b = c.arms
            immune = {x: antibodies_only(config.therapy_of(x)) for x in (a, b)}
            if immune[b] and not immune[a]:
                a, b = b, a
            return Arms(control, a, b, both, dose_days(config.therapy_of(a)), dose_days(config.therapy_of(b)), antibodies_only(config.therapy_of(a)))
    return None


def antibodies_only(therapy: Any) -> bool:
    """Whether an arm gives antibodies and nothing else."""
    return bool(therapy.antibodies) and not (therapy.drugs or therapy.nanoparticles or therapy.events)


def dose_days(therapy: Any) -> tuple[float, ...]:
    """All days on which something is given."""
    return tuple(sorted({float(d) for kind in (therapy.drugs, therapy.antibodies, therapy.nanoparticles, therapy.events) for i in kind for d in i.day}))


def exposure(t: float, doses: Sequence[float]) -> float:
    """What is left of all doses so far, one dose being 1 on its day."""
    return sum(np.exp(-(t - d) / TAU_D) for d in doses if t >= d - 1e-9)


class _Course:
    """Solves equations on a grid that hits every day asked for (Runge-Kutta, fourth order), many parameter sets at once."""

    def __init__(self, days: np.ndarray, arms: Arms) -> None:
        self.steps: list[tuple[float, list[tuple[float, float]], bool]] = []  # length, exposures at its start, middle and end, a day asked for
        for a, b in itertools.pairwise(days):
            n = max(1, int(np.ceil((b - a) / STEP_D - 1e-9)))
            h = (b - a) / n
            for k in range(n):
                at = (a + k * h, a + (k + 0.5) * h, a + (k + 1) * h - 1e-7)  # a dose at the end belongs to the next step
                self.steps.append((h, [(exposure(t, arms.days_a), exposure(t, arms.days_b)) for t in at], k == n - 1))

    def solve(self, rate: Callable[[tuple[float, float], np.ndarray], np.ndarray], state: np.ndarray) -> np.ndarray:
        """States (days, ...) from the one on the first day; `rate` takes the exposures to A and B, and a state."""
        out = [state]
        for h, (first, middle, last), wanted in self.steps:
            k1 = rate(first, state)
            k2 = rate(middle, state + h / 2 * k1)
            k3 = rate(middle, state + h / 2 * k2)
            k4 = rate(last, state + h * k3)
            state = state + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
            if wanted:
                out.append(state)
        return np.array(out)


def logistic_bliss(days: np.ndarray, counts: Mapping[str, np.ndarray], arms: Arms) -> np.ndarray:
    """Counts (days, 4) of the arms by logistic growth; the combination is predicted from the rest."""
    course, start = _Course(days, arms), float(np.mean([counts[x][0] for x in arms.names]))

    def solved(theta: np.ndarray) -> np.ndarray:
        """(parameter sets, 4) -> counts (parameter sets, days, 4)."""
        r, capacity, of_a, of_b = theta[:, 0, None], np.exp(theta[:, 1, None]), theta[:, 2, None] * HAS_A, theta[:, 3, None] * HAS_B

        def rate(given: tuple[float, float], n: np.ndarray) -> np.ndarray:
            return (r * (1 - n / capacity) - of_a * given[0] - of_b * given[1]) * n

        return np.maximum(course.solve(rate, np.full((len(theta), 4), start)), 0.0).swapaxes(0, 1)

    data = np.array([counts[x] for x in arms.names[:3]]).T
    low, high = [0, np.log(start + 1), -1, -1], [3, np.log(1e4 * start + 1e3), 12, 12]
    theta = _fit(lambda x: solved(x)[:, :, :3], data, [0.3, np.log(20 * start + 10), 0.2, 0.3], low, high)
    return solved(theta[None])[0]


def mean_field(days: np.ndarray, counts: Mapping[str, np.ndarray], arms: Arms, coupled: bool) -> np.ndarray:
    """Counts (days, 4) of the arms by the mean-field equations, fitted to all of them; `coupled` frees `s`."""
    course, start = _Course(days, arms), float(np.mean([counts[x][0] for x in arms.names]))

    def solved(theta: np.ndarray) -> np.ndarray:
        """(parameter sets, 8 or 9) -> counts (parameter sets, days, 4)."""
        r, log_capacity, k, e0, a, q, u, least = (theta[:, j, None] for j in range(8))
        s, capacity = theta[:, 8, None] if coupled else 0.0, np.exp(log_capacity)

        def rate(given: tuple[float, float], state: np.ndarray) -> np.ndarray:
            n, e, z, gpx4 = state
            kill = (1 + q * HAS_A * min(1.0, given[0])) * e
            f = u / (1 + (np.maximum(gpx4 * (1 - s * z), 0.0) / least) ** STEEP)
            lost = k * HAS_B * given[1] * gpx4
            return np.array([(r * (1 - n / capacity) - f - kill) * n, (e0 + a * (f + kill) - e) / TAU_E, (kill / (1 + kill) - z) / TAU_Z, K_A * (1 - gpx4) - lost])

        shape = (len(theta), 4)
        begin = np.array([np.full(shape, start), np.broadcast_to(e0, shape), np.broadcast_to(e0 / (1 + e0), shape), np.ones(shape)])
        return np.maximum(course.solve(rate, begin)[:, 0], 0.0).swapaxes(0, 1)

    data = np.array([counts[x] for x in arms.names]).T
    first, low = [0.5, np.log(20 * start + 10), 1.0, 0.1, 0.2, 0.5, 1.5, 0.3], [0, np.log(start + 1), 0, 0, 0, 0, 0, 0.02]
    high = [3, np.log(1e4 * start + 1e3), 12, 3, 0.9, 10, 6, 0.9]
    theta = _fit(solved, data, [*first, 0.4], [*low, 0], [*high, 0.95]) if coupled else _fit(solved, data, first, low, high)
    return solved(theta[None])[0]


def _fit(model: Callable[[np.ndarray], np.ndarray], data: np.ndarray, first: Sequence[float], low: Sequence[float], high: Sequence[float]) -> np.ndarray:
    """Least squares in log(N + 1) over the days after the first; what is not known counts for nothing."""
    known = np.isfinite(data[1:])
    target = np.log1p(np.where(known, data[1:], 0.0))
    lower, upper = np.asarray(low, float), np.asarray(high, float)

    def residuals(theta: np.ndarray) -> np.ndarray:
        """(parameter sets, parameters) -> (parameter sets, data)."""
        with np.errstate(over="ignore", invalid="ignore"):
            off = np.log1p(np.nan_to_num(model(theta)[:, 1:], nan=1e9, posinf=1e9)) - target
        return np.where(known, off, 0.0).reshape(len(theta), -1)

    def slopes(theta: np.ndarray) -> np.ndarray:
        """All columns of the Jacobian in one solution, steps away from the bounds."""
        h = 1e-6 * np.maximum(1.0, np.abs(theta)) * np.where(theta + 1e-5 * np.maximum(1.0, np.abs(theta)) < upper, 1, -1)
        sets = residuals(np.vstack([theta, theta + np.diag(h)]))
        return (sets[1:] - sets[0]).T / h

    begin = np.clip(first, lower + 1e-6, upper - 1e-6)
    found = least_squares(lambda x: residuals(x[None])[0], begin, slopes, bounds=(lower, upper), max_nfev=60, ftol=1e-6, xtol=1e-6, x_scale=np.maximum(0.1, np.abs(begin)))
    return found.x


RIVALS = ("logistic growth with Bliss", "mean field, uncoupled", "mean field, coupled")


def compare(days: np.ndarray, courses: Sequence[Mapping[str, np.ndarray]], arms: Arms, contrasts: Sequence[Any]) -> dict[str, dict[str, Any]]:
    """What each rival explains over draws, whose `courses` map arm -> counts (days,).

    `combination`: share of the variance of log size of the combination on the last day, between draws, that the rival has; `excess`: the same of
    the excess over Bliss; both 1 - sum of squared errors / sum of squares about the mean, below 0 where the mean alone does better. `agrees`: contrast -> in how many draws the rival
    states the same. Draws with unknown counts are left out.
    """
    whole = [c for c in courses if all(np.isfinite(c[x]).all() for x in arms.names)]
    fits = {
        RIVALS[0]: [logistic_bliss(days, c, arms) for c in whole],
        **({RIVALS[1]: [mean_field(days, c, arms, False) for c in whole], RIVALS[2]: [mean_field(days, c, arms, True) for c in whole]} if arms.a_is_immune else {}),
    }
    return {name: _explained(made, whole, arms, contrasts) for name, made in fits.items()}


def _explained(fits: list[np.ndarray], whole: Sequence[Mapping[str, np.ndarray]], arms: Arms, contrasts: Sequence[Any]) -> dict[str, Any]:
    seen = {x: np.array([c[x][-1] for c in whole]) for x in arms.names}
    told = {x: np.array([f[-1, k] for f in fits]) for k, x in enumerate(arms.names)}
    of = [c for c in contrasts if not c.needs_doses and set(c.arms) <= set(arms.names)]
    true, said = ({c.text: c.stated_by(np.round(c.effects(x, arms.control), 6)) for c in of} for x in (seen, told))  # solutions are not exact
    excess = next(c for c in of if c.kind == "bliss")
    return {
        "draws": len(whole),
        "combination": determination(np.log1p(seen[arms.both]), np.log1p(told[arms.both])),
        "excess": determination(excess.effects(seen, arms.control), excess.effects(told, arms.control)),
        "agrees": {text: int((true[text] == said[text]).sum()) for text in true},
        "all_sizes": determination(np.log1p(np.concatenate([seen[x] for x in arms.names])), np.log1p(np.concatenate([told[x] for x in arms.names]))),
    }


def determination(seen: np.ndarray, told: np.ndarray) -> float | None:
    """1 - sum of squared errors over sum of squares about the mean; None where nothing varies."""
    keep = np.isfinite(seen) & np.isfinite(told)
    s, t = seen[keep], told[keep]
    whole = float(((s - s.mean()) ** 2).sum()) if s.size > 1 else 0.0
    return None if not whole > 0 else 1.0 - float(((s - t) ** 2).sum()) / whole
