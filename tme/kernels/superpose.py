"""Steady fields of few sources and short reach, by adding up the Green's function of each source.

For uniform loss and no-flux walls the steady state of

    0 = D lap c - sink c + source

is a sum over sources of one fixed pattern, that of a source of 1 in an endless lattice. Walls act as mirrors half a
voxel away, again and again where the lattice is narrower than the pattern; on a periodic axis the pattern goes on
at the other end. The pattern falls as exp(-r/length), length = sqrt(D/sink), and is cut where the rest is below the
tolerance; it is scaled so that losses still equal gains.

In 3D a pattern has some 24,000 voxels, most of them far out, where it is smooth. `Near` is what is left of it when a
field on voxels twice as wide brings the smooth part: each source is handed to the eight nearest wide voxels with the
weights of linear interpolation, the wide field is solved, and interpolated back by cubic polynomials. Handing over widens
a source's field by 3/4 voxel^2 along every axis, so the wide field diffuses by as much less (`wide_coupling`).

A team shares the rows that receive: each voxel gets its sources' shares in the order of the sources, whoever adds them.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.jit import serial
from tme.kernels.multigrid import Workspace
from tme.kernels.stencil import part

SPAN = 2  # the pattern is computed in a box this many times as wide, so that the box's walls do not show
WORTH = 16  # pattern entries per voxel of the lattice up to which adding up beats solving
FEW = 16 * 73**2  # entries up to which it does on any lattice
TILE = 2**18  # bytes of a lattice that patterns of one part of the sources touch, about half of a second cache
NEVER = 40  # voxels of reach beyond which no lattice that fits a computer makes it worth while
LENGTH = 2.0  # voxels from which on wide voxels can bring the smooth part
APART = 0.75  # voxel^2, by how much handing over to wide voxels widens a pattern along an axis
CUBIC = (-10 / 256, 70 / 256, 210 / 256, -14 / 256)  # of the wide voxels -2, -1, 0, 1 at 1/4 before the middle of 0


def reach(k: float, sink: float, tol: float) -> int:
    """Voxels after which the pattern may be cut: a little over ln(1/tol) lengths."""
    return int(np.ceil(np.sqrt(k / sink) * (np.log(1.0 / tol) + 1.0)))


class Pattern:
    """What one source of 1 unit/min makes around it: `values` (entries,), rows of 2 rx + 1 in the order z, y, x.

    `k` = D/dx^2 and `sink` in 1/min; an axis of one voxel has no extent. Row i is used out to `half[i]` voxels to either
    side: all of it in 2D, in 3D those in a ball. `size` entries are used. `once` says whether walls mirror it once at most.
    """

    def __init__(self, shape: tuple[int, int, int], k: float, sink: float, tol: float) -> None:
        r = reach(k, sink, tol)
        self.reach = tuple(r if n > 1 else 0 for n in shape)
        rz, ry, rx = self.reach
        self.flat = min(shape) == 1
        self.half = np.full((2 * rz + 1) * (2 * ry + 1), rx, np.int64) if self.flat else _ball(r, r)
        self.size = int((2 * self.half + 1).sum())
        self.once = self.flat and all(n == 1 or r <= n for n in shape)
        self._of = (k, sink)
        self._values: np.ndarray | None = None

    @property
    def values(self) -> np.ndarray:
        """Computed at first use."""
        if self._values is None:
            if self.flat:
                values = _pattern(self.reach, *self._of)
            else:
                values = _in_ball(green(self.reach[0], *self._of), self.half)
                outer = values * (_distance(self.reach[0]) > 0.5 * self.reach[0])  # takes what is cut off
                values += outer * ((1.0 / self._of[1] - values.sum()) / outer.sum())
            self._values = np.ascontiguousarray(values).ravel()
        return self._values


class Near:
    """What is left of a 3D pattern when a field on voxels twice as wide brings the rest: as `Pattern`, but short.

    `values` (8 * entries,): one after another for each place of the source among the children of its wide voxel, 4 (z & 1) + 2 (y & 1)
    + (x & 1). It ends where the rest is below 0.7 `tol` of the pattern's greatest value, and sums to 0.
    """

    def __init__(self, k: float, sink: float, tol: float) -> None:
        r = reach(k, sink, tol)
        whole, wide = green(r, k, sink), _by_wide_voxels(r, k, sink)
        left, inside = whole - wide, _distance(r)
        out = next(n for n in range(1, r + 1) if n == r or np.abs(left[inside > n]).max() <= 0.7 * tol * whole.max())
        cut = (slice(r - out, r + out + 1),) * 3
        self.reach, self.half = (out, out, out), _ball(out, out)
        self.size = int((2 * self.half + 1).sum())
        left = _in_ball(left[cut].copy(), self.half)
        outer = _in_ball(wide[cut] * (inside[cut] > 0.5 * out), self.half)
        left -= outer * (left.sum() / outer.sum())
        turned = np.stack([_turned(left, place).ravel() for place in range(8)])
        self.values = turned.ravel()
        self.used = np.flatnonzero(_distance(out).ravel() <= out + 1e-9)
        self.packed = np.ascontiguousarray(turned[:, self.used])

    def steps(self, shape: tuple[int, int, int]) -> np.ndarray:
        """(entries,) int64 how far in a lattice's arrays each used entry is from the source."""
        z, y, x = (i - self.reach[0] for i in np.unravel_index(self.used, (2 * self.reach[0] + 1,) * 3))
        return ((z * shape[1] + y) * shape[2] + x).astype(np.int64)


def wide_coupling(k: float, sink: float) -> float:
    """D/dx^2 of the field on voxels twice as wide that brings the smooth part of a pattern; 0 where they are too wide for it."""
    return 0.25 * k - APART * sink / 8.0 if k >= LENGTH**2 * sink else 0.0


def green(r: int, k: float, sink: float) -> np.ndarray:
    """(2 r + 1,) * 3 the steady field of a source of 1 in an endless lattice; from a periodic box whose images do not show."""
    n = 2 * SPAN * r
    loss = 2.0 * k * (1.0 - np.cos(2.0 * np.pi * np.arange(n) / n))
    there = 1.0 / (sink + loss[:, None, None] + loss[:, None] + loss[: n // 2 + 1])
    box = np.roll(np.fft.irfftn(there, (n, n, n), (0, 1, 2)), (r, r, r), (0, 1, 2))
    return np.maximum(box[: 2 * r + 1, : 2 * r + 1, : 2 * r + 1], 0.0)


def _by_wide_voxels(r: int, k: float, sink: float) -> np.ndarray:
    """(2 r + 1,) * 3 what the wide field brings of a source that is the first child of its wide voxel."""
    m = r // 2 + 4
    c = green(m, wide_coupling(k, sink), sink) / 8.0
    for axis in range(3):
        c = 0.75 * c + 0.25 * np.roll(c, -1, axis)
    for axis in range(3):
        c = np.moveaxis(c, axis, 0)
        fine = np.empty((2 * len(c), *c.shape[1:]))
        fine[0::2] = sum(w * np.roll(c, -n, 0) for n, w in zip(range(-2, 2), CUBIC, strict=True))
        fine[1::2] = sum(w * np.roll(c, n, 0) for n, w in zip(range(-2, 2), CUBIC, strict=True))
        c = np.moveaxis(fine, 0, axis)
    cut = slice(2 * m - r, 2 * m + r + 1)
    return c[cut, cut, cut]


def _turned(values: np.ndarray, place: int) -> np.ndarray:
    """The pattern of a source in the other half of its wide voxel, along each axis with a bit set in `place`."""
    return np.flip(values, tuple(axis for axis in range(3) if place >> (2 - axis) & 1)).copy()


def _distance(r: int) -> np.ndarray:
    """(2 r + 1,) * 3 distance from the middle, voxels."""
    square = np.arange(-r, r + 1) ** 2
    return np.sqrt(square[:, None, None] + square[:, None] + square)


def _ball(r: int, radius: int) -> np.ndarray:
    """Half-widths (rows,) int64 of the rows of a box of 2 r + 1 in a ball; -1 for rows outside it."""
    square = np.arange(-r, r + 1) ** 2
    left = radius**2 - (square[:, None] + square).ravel()
    return np.where(left < 0, -1, np.floor(np.sqrt(np.maximum(left, 0)) + 1e-9)).astype(np.int64)


def _in_ball(values: np.ndarray, half: np.ndarray) -> np.ndarray:
    """The same, 0 beyond the half-widths of its rows."""
    r = values.shape[2] // 2
    values.reshape(len(half), -1)[np.abs(np.arange(-r, r + 1)) > half[:, None]] = 0.0
    return values


def _pattern(reach_: tuple[int, ...], k: float, sink: float) -> np.ndarray:
    """Solve for one source in the middle of a box, cut out the middle, scale to a sum of 1/sink."""
    from tme.kernels.diffusion import step

    nz, ny, nx = (2 * SPAN * r + 1 for r in reach_)
    shape, n = (nz, ny, nx), nz * ny * nx
    workspace, none = Workspace(shape), np.zeros(0)
    c, source = np.zeros(n), np.zeros(n)
    source[n // 2] = 1.0
    couplings = np.array([k if m > 1 else 0.0 for m in shape])
    step(c, 0.0, sink, couplings, 1e-12, 200, 1, none, source, none, 0.0, none, 1.0, none,
         np.zeros(0, np.int64), 0.0, np.full((3, 2), np.nan), False, *workspace.arrays())  # fmt: skip
    (rz, ry, rx), (mz, my, mx) = reach_, (m // 2 for m in shape)
    cut = c.reshape(shape)[mz - rz : mz + rz + 1, my - ry : my + ry + 1, mx - rx : mx + rx + 1].copy()
    return cut / (cut.sum() * sink)


# the powers of two up to 2^63 all leave different remainders by 67
_EXPONENT = np.zeros(67, np.int64)
for _i in range(64):
    _EXPONENT[2**_i % 67] = _i


@serial
def ascending(points, marks):
    """Put `points` (m,) int64, all different, in order; `marks` (largest // 64 + 1,) uint64 is scratch, 0 on entry and exit."""
    one, six, last = np.uint64(1), np.uint64(6), np.uint64(63)
    for i in range(points.size):
        v = np.uint64(points[i])
        marks[v >> six] |= one << (v & last)
    count = 0
    for w in range(marks.size):
        word = marks[w]
        marks[w] = np.uint64(0)
        while word != np.uint64(0):
            lowest = word & (~word + one)
            points[count] = 64 * w + _EXPONENT[lowest % np.uint64(67)]
            count += 1
            word ^= lowest


@part
def folded(q, n, wrapped):
    """The voxel of an axis of `n` that is met at `q`, beyond walls or the ends of a periodic axis."""
    if wrapped:
        return q % n
    while q < 0 or q >= n:
        q = -1 - q if q < 0 else 2 * n - 1 - q
    return q


@part
def _rows_reached(reach, shape, wrap):
    """Rows before and after a source's own within which its pattern stays; mirrored, it stays where it would be without walls."""
    if wrap[0]:
        return shape[0] * shape[1]
    return reach[0] * shape[1] + (shape[1] if wrap[1] else reach[1])


@part
def _far(row, reach, row_lo, row_hi):
    """Whether a pattern around a row has none in the block."""
    return row + reach < row_lo or row - reach >= row_hi


@serial
def darken(row_lo, row_hi, voxels, reach, shape, c):
    """c = 0 wherever patterns around `voxels` (m,) int64 reach, in rows z * ny + y from `row_lo` to `row_hi`; no axis is periodic."""
    nz, ny, nx = shape
    rz, ry, rx = reach
    for i in range(voxels.size):
        v = voxels[i]
        if _far(v // nx, rz * ny + ry, row_lo, row_hi):
            continue
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        first, last = max(0, x - rx), min(nx, x + rx + 1)
        for pz in range(max(0, z - rz), min(nz, z + rz + 1)):
            for py in range(max(0, y - ry), min(ny, y + ry + 1)):
                row = (pz * ny + py) * nx
                if row_lo * nx <= row < row_hi * nx:
                    c[row + first : row + last] = 0.0


@part
def _add_row(s, pattern, at, c, o, n):
    """c[o : o + n] += s * pattern[at : at + n]; unsigned, so that it vectorises."""
    to, of = np.uint64(o), np.uint64(at)
    for j in range(np.uint64(n)):
        c[to + j] += s * pattern[of + j]


@serial
def add_up(row_lo, row_hi, voxels, source, pattern, reach, shape, c):
    """c (n_voxels,) += sum over `voxels` (m,) int64 of source[v] * pattern (flat), mirrored at the walls, once at each.

    Only in rows z * ny + y from `row_lo` to `row_hi`.
    """
    nz, ny, nx = shape
    rz, ry, rx = reach
    wide = 2 * rx + 1
    for i in range(voxels.size):
        v = voxels[i]
        if _far(v // nx, rz * ny + ry, row_lo, row_hi):
            continue
        s = source[v]
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        first, last = max(0, x - rx), min(nx, x + rx + 1)
        at = first - (x - rx)
        for dz in range(-rz, rz + 1):
            pz = z + dz
            pz = -1 - pz if pz < 0 else (2 * nz - 1 - pz if pz >= nz else pz)
            for dy in range(-ry, ry + 1):
                py = y + dy
                py = -1 - py if py < 0 else (2 * ny - 1 - py if py >= ny else py)
                row = (pz * ny + py) * nx
                if row < row_lo * nx or row >= row_hi * nx:
                    continue
                line = ((dz + rz) * (2 * ry + 1) + dy + ry) * wide
                _add_row(s, pattern, line + at, c, row + first, last - first)
                for j in range(at):
                    c[row + at - 1 - j] += s * pattern[line + j]
                for j in range(last - x + rx, wide):
                    c[row + 2 * nx - 1 - (x - rx + j)] += s * pattern[line + j]


@serial
def add_rows(row_lo, row_hi, voxels, source, pattern, half, reach, shape, wrap, c):
    """`add_up` of a pattern whose row i is used out to `half[i]` (rows,) voxels to either side, on lattices of any extent.

    It is mirrored at walls as often as it meets them, and goes on at the other end of a periodic axis.
    """
    nz, ny, nx = shape
    rz, ry, rx = reach
    rows = _rows_reached(reach, shape, wrap)
    for i in range(voxels.size):
        v = voxels[i]
        if _far(v // nx, rows, row_lo, row_hi):
            continue
        s = source[v]
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        for dz in range(-rz, rz + 1):
            pz = folded(z + dz, nz, wrap[0])
            for dy in range(-ry, ry + 1):
                line = (dz + rz) * (2 * ry + 1) + dy + ry
                row, r = (pz * ny + folded(y + dy, ny, wrap[1])) * nx, half[line]
                if r < 0 or row < row_lo * nx or row >= row_hi * nx:
                    continue
                first, last, at = max(0, x - r), min(nx, x + r + 1), line * (2 * rx + 1) + rx - x
                _add_row(s, pattern, at + first, c, row + first, last - first)
                for q in range(x - r, 0):
                    c[row + folded(q, nx, wrap[2])] += s * pattern[at + q]
                for q in range(nx, x + r + 1):
                    c[row + folded(q, nx, wrap[2])] += s * pattern[at + q]


@serial
def add_near(row_lo, row_hi, voxels, source, patterns, half, reach, shape, wrap, steps, packed, c):
    """`add_rows` of eight short patterns, whose rows of a few voxels are added entry by entry, a part of each plane at a time.

    `packed` (8, entries) are the used entries of `patterns`, row after row, and `steps` (entries,) int64 their distances in
    `c` from the source, which hold away from walls.
    """
    nz, ny, nx = shape
    rz, ry, rx = reach
    wide = 2 * rx + 1
    size, at_x = half.size * wide, np.empty(wide, np.int64)
    rows = _rows_reached(reach, shape, wrap)
    tile = max(4, TILE // (8 * nx * (2 * rz + 1)) - 2 * ry)
    for i in range(voxels.size * (1 + (ny - 1) // tile)):
        v = voxels[i % voxels.size]
        row = v // nx
        x, y, z = v % nx, row % ny, row // ny
        if y // tile != i // voxels.size or _far(row, rows, row_lo, row_hi):
            continue
        s, place = source[v], 4 * (z & 1) + 2 * (y & 1) + (x & 1)
        clear = rx <= x < nx - rx and ry <= y < ny - ry and rz <= z < nz - rz
        if clear and row_lo <= row - rz * ny - ry and row + rz * ny + ry < row_hi:
            values = packed[place]
            for j in range(np.uint64(steps.size)):
                c[np.uint64(v + steps[j])] += s * values[j]
            continue
        for q in range(wide):
            at_x[q] = folded(x + q - rx, nx, wrap[2])
        for line in range(half.size):
            row = (folded(z + line // (2 * ry + 1) - rz, nz, wrap[0]) * ny + folded(y + line % (2 * ry + 1) - ry, ny, wrap[1])) * nx
            if row_lo * nx <= row < row_hi * nx:
                at = size * place + line * wide
                for q in range(rx - half[line], rx + half[line] + 1):
                    c[np.uint64(row + at_x[np.uint64(q)])] += s * patterns[np.uint64(at + q)]


@serial
def hand_over(voxels, source, shape, wrap, wide):
    """wide (n / 8,) += source / 8 of each of `voxels` (m,) int64, in the shares 3/4 and 1/4 along each axis."""
    nz, ny, nx = shape
    mz, my, mx = nz // 2, ny // 2, nx // 2
    for i in range(voxels.size):
        v = voxels[i]
        s = 0.125 * source[v]
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        for a in range(2):
            tz = z // 2 if a == 0 else folded(z // 2 + 2 * (z & 1) - 1, mz, wrap[0])
            for b in range(2):
                ty = y // 2 if b == 0 else folded(y // 2 + 2 * (y & 1) - 1, my, wrap[1])
                share = s * (0.75 if a == 0 else 0.25) * (0.75 if b == 0 else 0.25)
                row = (tz * my + ty) * mx
                wide[row + x // 2] += 0.75 * share
                wide[row + folded(x // 2 + 2 * (x & 1) - 1, mx, wrap[2])] += 0.25 * share


@part
def _taps(i, m, size, wrapped):
    """Where the four wide voxels, of `m`, that CUBIC is for at voxel `i` begin, at `size` entries each."""
    near, step = i // 2, 1 - 2 * (i & 1)
    a, b = folded(near - 2 * step, m, wrapped), folded(near - step, m, wrapped)
    return np.uint64(a) * size, np.uint64(b) * size, np.uint64(near) * size, np.uint64(folded(near + step, m, wrapped)) * size


@serial
def interpolate(lo, hi, wide, c, shape, wrap):
    """Planes `lo` to `hi` of c (n,) from `wide` (n / 8,), by cubic polynomials along every axis."""
    _nz, ny, nx = shape
    mz, my, mx = shape[0] // 2, ny // 2, nx // 2
    w0, w1, w2, w3 = CUBIC
    plane, row, size = np.empty(my * mx), np.empty(mx + 4), np.uint64(my * mx)
    for z in range(lo, hi):
        a, b, d, e = _taps(z, mz, size, wrap[0])
        for j in range(size):
            plane[j] = w0 * wide[a + j] + w1 * wide[b + j] + w2 * wide[d + j] + w3 * wide[e + j]
        for y in range(ny):
            a, b, d, e = _taps(y, my, np.uint64(mx), wrap[1])
            for j in range(np.uint64(mx)):
                row[j + np.uint64(2)] = w0 * plane[a + j] + w1 * plane[b + j] + w2 * plane[d + j] + w3 * plane[e + j]
            for n in range(2):
                row[n] = row[2 + folded(n - 2, mx, wrap[2])]
                row[mx + 2 + n] = row[2 + folded(mx + n, mx, wrap[2])]
            o, two, one = np.uint64((z * ny + y) * nx), np.uint64(2), np.uint64(1)
            for j in range(np.uint64(mx)):
                i = j + two
                c[o + two * j] = w0 * row[j] + w1 * row[i - one] + w2 * row[i] + w3 * row[i + one]
                c[o + two * j + one] = w0 * row[i + two] + w1 * row[i + one] + w2 * row[i] + w3 * row[i - one]


@serial
def none_below_zero(lo, hi, c):
    """c = max(c, 0) from `lo` to `hi`."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        c[i] = max(c[i], 0.0)
