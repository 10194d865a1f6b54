"""Steady fields as sums of Green's functions, one per source: cheap where sources are few and their radius is small.

For uniform loss and no-flux walls the steady state of

    0 = D lap c - sink c + source

is a sum over sources of one Green's function, the response of an infinite lattice to a source of 1. Walls act as mirrors half a
voxel away, repeatedly where the lattice is narrower than the radius; on a periodic axis the function wraps around.
It falls as exp(-r/length), length = sqrt(D/sink), and is cut where the rest is below the
tolerance; it is scaled so that losses still equal gains.

In 3D it covers some 24,000 voxels, most of them far from the source, where it is smooth. A field on voxels twice as wide then
carries the smooth part: each source is deposited on the eight nearest coarse voxels with the
weights of linear interpolation, the coarse field is solved, and interpolated back by cubic polynomials; `ShortRangeCorrection` is
the difference. Depositing widens the response by 3/4 voxel^2 along every axis, so the coarse field diffuses by as much less (`coarse_coupling`).

Threads share the rows that are written: each voxel adds its sources in their order, for any number of threads.
"""

from __future__ import annotations

import numpy as np

from tme.kernels.greens_function import CUBIC_WEIGHTS
from tme.kernels.jit import serial
from tme.kernels.simd import add_scaled_8
from tme.kernels.stencil import part

# the powers of two up to 2^63 all have different remainders modulo 67
_EXPONENT = np.zeros(67, np.int64)
for _i in range(64):
    _EXPONENT[2**_i % 67] = _i


@serial
def sort_voxels(voxels, marks):
    """Sort `voxels` (m,) int64, all different, in place; `marks` (largest // 64 + 1,) uint64 is scratch, 0 on entry and exit."""
    one, six, last = np.uint64(1), np.uint64(6), np.uint64(63)
    for i in range(voxels.size):
        v = np.uint64(voxels[i])
        marks[v >> six] |= one << (v & last)
    count = 0
    for w in range(marks.size):
        word = marks[w]
        marks[w] = np.uint64(0)
        while word != np.uint64(0):
            lowest = word & (~word + one)
            voxels[count] = 64 * w + _EXPONENT[lowest % np.uint64(67)]
            count += 1
            word ^= lowest


@serial
def list_sources(source, out):
    """Fill `out` (most,) int64 with the voxels where `source` (n_voxels,) is not 0, ascending; how many there are, or `most` + 1 if more."""
    count = 0
    for begin in range(0, source.size, 64):
        end, found = min(begin + 64, source.size), np.int64(0)
        for i in range(np.uint64(begin), np.uint64(end)):
            found += np.int64(source[i] != 0.0)
        if found == 0:
            continue
        if count + found > out.size:
            return out.size + 1
        for i in range(begin, end):
            if source[i] != 0.0:
                out[count] = i
                count += 1
    return count


@part
def fold_index(q, n, wrapped):
    """Index on an axis of `n` voxels for any `q`: mirrored at walls, wrapped on a periodic axis."""
    if wrapped:
        return q % n
    while q < 0 or q >= n:
        q = -1 - q if q < 0 else 2 * n - 1 - q
    return q


@part
def _row_radius(radius, shape, wrap):
    """Rows before and after the row of a source that its Green's function covers; mirroring at walls covers no others."""
    if wrap[0]:
        return shape[0] * shape[1]
    return radius[0] * shape[1] + (shape[1] if wrap[1] else radius[1])


@part
def _misses(row, radius, row_lo, row_hi):
    """Whether a Green's function of `radius` rows around `row` misses the block."""
    return row + radius < row_lo or row - radius >= row_hi


@serial
def clear_support(row_lo, row_hi, voxels, radius, shape, c):
    """c = 0 within `radius` of `voxels` (m,) int64, in rows z * ny + y from `row_lo` to `row_hi`; no axis is periodic."""
    nz, ny, nx = shape
    rz, ry, rx = radius
    for i in range(voxels.size):
        v = voxels[i]
        if _misses(v // nx, rz * ny + ry, row_lo, row_hi):
            continue
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        first, last = max(0, x - rx), min(nx, x + rx + 1)
        for pz in range(max(0, z - rz), min(nz, z + rz + 1)):
            for py in range(max(0, y - ry), min(ny, y + ry + 1)):
                row = (pz * ny + py) * nx
                if row_lo * nx <= row < row_hi * nx:
                    c[row + first : row + last] = 0.0


@part
def _add_row(s, greens, at, c, o, n):
    """c[o : o + n] += s * greens[at : at + n]; unsigned, so that it vectorises."""
    to, of = np.uint64(o), np.uint64(at)
    for j in range(np.uint64(n)):
        c[to + j] += s * greens[of + j]


@serial
def add_untruncated(row_lo, row_hi, voxels, source, greens, radius, shape, c):
    """c (n_voxels,) += sum over `voxels` (m,) int64 of source[v] * greens (flat), mirrored once at each wall.

    Only in rows z * ny + y from `row_lo` to `row_hi`.
    """
    nz, ny, nx = shape
    rz, ry, rx = radius
    wide = 2 * rx + 1
    for i in range(voxels.size):
        v = voxels[i]
        if _misses(v // nx, rz * ny + ry, row_lo, row_hi):
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
                _add_row(s, greens, line + at, c, row + first, last - first)
                for j in range(at):
                    c[row + at - 1 - j] += s * greens[line + j]
                for j in range(last - x + rx, wide):
                    c[row + 2 * nx - 1 - (x - rx + j)] += s * greens[line + j]


@serial
def add_truncated(row_lo, row_hi, voxels, source, greens, half, radius, shape, wrap, c):
    """`add_untruncated` for a Green's function whose row i is used out to `half[i]` (rows,) voxels to either side, on lattices of any size.

    It is mirrored at walls as often as needed, and wrapped on a periodic axis.
    """
    nz, ny, nx = shape
    rz, ry, rx = radius
    rows = _row_radius(radius, shape, wrap)
    for i in range(voxels.size):
        v = voxels[i]
        if _misses(v // nx, rows, row_lo, row_hi):
            continue
        s = source[v]
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        for dz in range(-rz, rz + 1):
            pz = fold_index(z + dz, nz, wrap[0])
            for dy in range(-ry, ry + 1):
                line = (dz + rz) * (2 * ry + 1) + dy + ry
                row, r = (pz * ny + fold_index(y + dy, ny, wrap[1])) * nx, half[line]
                if r < 0 or row < row_lo * nx or row >= row_hi * nx:
                    continue
                first, last, at = max(0, x - r), min(nx, x + r + 1), line * (2 * rx + 1) + rx - x
                _add_row(s, greens, at + first, c, row + first, last - first)
                for q in range(x - r, 0):
                    c[row + fold_index(q, nx, wrap[2])] += s * greens[at + q]
                for q in range(nx, x + r + 1):
                    c[row + fold_index(q, nx, wrap[2])] += s * greens[at + q]


@part
def _add_pane(pane, width, plane, row_lo, row_hi, radius, shape, wrap, c):
    """Add a plane with a margin of `radius` to the lattice's own, its margins mirrored or wrapped."""
    ny, nx = shape[1], shape[2]
    ry, rx = radius[1], radius[2]
    for q in range(-ry, ny + ry):
        row, of = plane * ny + fold_index(q, ny, wrap[1]), (q + ry) * width + rx
        if row_lo <= row < row_hi:
            o = row * nx
            _add_row(1.0, pane, of, c, o, nx)
            for x in range(-rx, 0):
                c[o + fold_index(x, nx, wrap[2])] += pane[of + x]
            for x in range(nx, nx + rx):
                c[o + fold_index(x, nx, wrap[2])] += pane[of + x]


@serial
def add_correction(row_lo, row_hi, voxels, source, radius, shape, wrap, width, starts, layers, packed, c):
    """`add_truncated` for the eight short-range corrections, one plane of the lattice after another.

    A plane is added up beside the lattice with room for what goes over its walls, rows `width` wide, a few of which stay in the
    first-level cache. `voxels` ascend. `packed` (8, 8 * eights) are the rows of the corrections, each filled up with
    zeros to whole eights, those at dz from eight `layers[dz + rz]` on; `starts` (eights,) int64 where they begin in a pane, from the source's row and column.
    """
    nz, ny, nx = shape
    rz, ry = radius[0], radius[1]
    begins = np.searchsorted(voxels, np.arange(nz + 1) * (ny * nx))  # sources of each plane
    at, child, strength = np.empty(voxels.size, np.uint64), np.empty(voxels.size, np.uint64), np.empty(voxels.size)
    for i in range(voxels.size):
        row = voxels[i] // nx
        x, y, z = voxels[i] - row * nx, row % ny, row // ny
        at[i], child[i], strength[i] = y * width + x, 4 * (z & 1) + 2 * (y & 1) + (x & 1), source[voxels[i]]
    pane, flat, eight = np.zeros((ny + 2 * ry) * width), packed.ravel(), np.uint64(8)
    for plane in range(row_lo // ny, (row_hi - 1) // ny + 1):
        first, last = (0, nz) if wrap[0] else (max(plane - rz, 0), min(plane + rz + 1, nz))
        if begins[first] == begins[last]:
            continue
        pane[:] = 0.0
        for z in range(first, last):
            for layer in range(2 * rz + 1):
                if fold_index(z + layer - rz, nz, wrap[0]) != plane:
                    continue
                lo, hi = np.uint64(layers[layer]), np.uint64(layers[layer + 1])
                for i in range(np.uint64(begins[z]), np.uint64(begins[z + 1])):
                    values = child[i] * np.uint64(packed.shape[1])
                    for k in range(lo, hi):
                        add_scaled_8(strength[i], flat, values + eight * k, pane, at[i] + np.uint64(starts[k]))
        _add_pane(pane, width, plane, row_lo, row_hi, radius, shape, wrap, c)


@serial
def deposit_coarse(voxels, source, shape, wrap, coarse):
    """coarse (n / 8,) += source / 8 of each of `voxels` (m,) int64, with the linear weights 3/4 and 1/4 along each axis."""
    nz, ny, nx = shape
    mz, my, mx = nz // 2, ny // 2, nx // 2
    for i in range(voxels.size):
        v = voxels[i]
        s = 0.125 * source[v]
        x, y, z = v % nx, v // nx % ny, v // (nx * ny)
        for a in range(2):
            tz = z // 2 if a == 0 else fold_index(z // 2 + 2 * (z & 1) - 1, mz, wrap[0])
            for b in range(2):
                ty = y // 2 if b == 0 else fold_index(y // 2 + 2 * (y & 1) - 1, my, wrap[1])
                share = s * (0.75 if a == 0 else 0.25) * (0.75 if b == 0 else 0.25)
                row = (tz * my + ty) * mx
                coarse[row + x // 2] += 0.75 * share
                coarse[row + fold_index(x // 2 + 2 * (x & 1) - 1, mx, wrap[2])] += 0.25 * share


@part
def _stencil(i, m, size, wrapped):
    """Offsets, at `size` entries each, of the four coarse voxels (of `m`) that CUBIC_WEIGHTS weighs at the fine voxel `i`."""
    near, step = i // 2, 1 - 2 * (i & 1)
    a, b = fold_index(near - 2 * step, m, wrapped), fold_index(near - step, m, wrapped)
    return np.uint64(a) * size, np.uint64(b) * size, np.uint64(near) * size, np.uint64(fold_index(near + step, m, wrapped)) * size


@serial
def interpolate_cubic(lo, hi, coarse, c, shape, wrap):
    """Planes `lo` to `hi` of c (n,) from `coarse` (n / 8,), by cubic polynomials along every axis."""
    _nz, ny, nx = shape
    mz, my, mx = shape[0] // 2, ny // 2, nx // 2
    w0, w1, w2, w3 = CUBIC_WEIGHTS
    plane, row, size = np.empty(my * mx), np.empty(mx + 4), np.uint64(my * mx)
    for z in range(lo, hi):
        a, b, d, e = _stencil(z, mz, size, wrap[0])
        for j in range(size):
            plane[j] = w0 * coarse[a + j] + w1 * coarse[b + j] + w2 * coarse[d + j] + w3 * coarse[e + j]
        for y in range(ny):
            a, b, d, e = _stencil(y, my, np.uint64(mx), wrap[1])
            for j in range(np.uint64(mx)):
                row[j + np.uint64(2)] = w0 * plane[a + j] + w1 * plane[b + j] + w2 * plane[d + j] + w3 * plane[e + j]
            for n in range(2):
                row[n] = row[2 + fold_index(n - 2, mx, wrap[2])]
                row[mx + 2 + n] = row[2 + fold_index(mx + n, mx, wrap[2])]
            o, two, one = np.uint64((z * ny + y) * nx), np.uint64(2), np.uint64(1)
            for j in range(np.uint64(mx)):
                i = j + two
                c[o + two * j] = w0 * row[j] + w1 * row[i - one] + w2 * row[i] + w3 * row[i + one]
                c[o + two * j + one] = w0 * row[i + two] + w1 * row[i + one] + w2 * row[i] + w3 * row[i - one]


@serial
def clip_negative(lo, hi, c):
    """c = max(c, 0) from `lo` to `hi`."""
    for i in range(np.uint64(lo), np.uint64(hi)):
        c[i] = max(c[i], 0.0)
