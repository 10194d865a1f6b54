"""Device kernels of the field solver, one thread a voxel; the same arithmetic as `kernels.multigrid`.

`geo` is (nz, ny, nx, periodic in z, y, x) as whole numbers, `k` (3,) the couplings along z, y, x. What a
kernel sums it leaves in `lanes` (2, lanes(n)); see `launch`.
"""

from __future__ import annotations

from numba import cuda

from tme.kernels.stencil import OMEGA

HAS_SOURCE, HAS_LOSS, HAS_EXCHANGE, HAS_VMAX, HAS_FIXED, HAS_FACES = 1, 2, 4, 8, 16, 32


@cuda.jit(device=True)
def neighbours(x, v, geo, k):
    """Sum of k * neighbour over the up to six neighbours of voxel v; beyond a wall, the voxel itself."""
    nz, ny, nx, wrap_z, wrap_y, wrap_x = geo
    j = v % nx
    row = v // nx
    y = row % ny
    z = row // ny
    total = 0.0
    if k[2] > 0.0:
        left = v - 1 if j > 0 else (v + nx - 1 if wrap_x else v)
        right = v + 1 if j < nx - 1 else (v - nx + 1 if wrap_x else v)
        total += k[2] * (x[left] + x[right])
    if k[1] > 0.0:
        up = v - nx if y > 0 else (v + (ny - 1) * nx if wrap_y else v)
        down = v + nx if y < ny - 1 else (v - (ny - 1) * nx if wrap_y else v)
        total += k[1] * (x[up] + x[down])
    if k[0] > 0.0:
        plane = ny * nx
        below = v - plane if z > 0 else (v + (nz - 1) * plane if wrap_z else v)
        above = v + plane if z < nz - 1 else (v - (nz - 1) * plane if wrap_z else v)
        total += k[0] * (x[below] + x[above])
    return total


@cuda.jit(device=True)
def smoothed_neighbours(r, dinv, v, geo, k):
    """The same sum for z = D^-1 r, which is never stored."""
    nz, ny, nx, wrap_z, wrap_y, wrap_x = geo
    j = v % nx
    row = v // nx
    y = row % ny
    z = row // ny
    total = 0.0
    if k[2] > 0.0:
        left = v - 1 if j > 0 else (v + nx - 1 if wrap_x else v)
        right = v + 1 if j < nx - 1 else (v - nx + 1 if wrap_x else v)
        total += k[2] * (r[left] * dinv[left] + r[right] * dinv[right])
    if k[1] > 0.0:
        up = v - nx if y > 0 else (v + (ny - 1) * nx if wrap_y else v)
        down = v + nx if y < ny - 1 else (v - (ny - 1) * nx if wrap_y else v)
        total += k[1] * (r[up] * dinv[up] + r[down] * dinv[down])
    if k[0] > 0.0:
        plane = ny * nx
        below = v - plane if z > 0 else (v + (nz - 1) * plane if wrap_z else v)
        above = v + plane if z < nz - 1 else (v - (nz - 1) * plane if wrap_z else v)
        total += k[0] * (r[below] * dinv[below] + r[above] * dinv[above])
    return total


@cuda.jit(device=True)
def face(at, last, k, low, high):
    """What fixed-value faces add along one axis: (to sigma, to b); NaN is no flux."""
    sigma, b = 0.0, 0.0
    if at == 0 and low == low:
        sigma += 2.0 * k
        b += 2.0 * k * low
    if at == last and high == high:
        sigma += 2.0 * k
        b += 2.0 * k * high
    return sigma, b


@cuda.jit
def prepare(c, old, b, sigma, dinv, source, loss, exchange, vmax, fixed, flags, per_dt, base, vessel, k_m,
            geo, k, faces):  # fmt: skip
    """The linear system around `c`: right-hand side, losses, 1/diagonal; given faces and voxels included.

    Saturating uptake by its tangent at c: vmax k_m / (k_m + c)^2 to sigma, -vmax c^2 / (k_m + c)^2 to b.
    """
    nz, ny, nx = geo[0], geo[1], geo[2]
    for v in range(cuda.grid(1), c.size, cuda.gridsize(1)):
        right, sink = per_dt * old[v], base
        if flags & HAS_SOURCE:
            right += source[v]
        if flags & HAS_LOSS:
            sink += loss[v]
        if flags & HAS_EXCHANGE:
            right += exchange[v] * vessel
            sink += exchange[v]
        if flags & HAS_VMAX:
            share = 1.0 / (k_m + c[v])
            pull = vmax[v] * share * share
            sink += pull * k_m
            right -= pull * c[v] * c[v]
        if flags & HAS_FACES:
            row = v // nx
            more, given = face(row // ny, nz - 1, k[0], faces[0], faces[1])
            sink, right = sink + more, right + given
            more, given = face(row % ny, ny - 1, k[1], faces[2], faces[3])
            sink, right = sink + more, right + given
            more, given = face(v % nx, nx - 1, k[2], faces[4], faces[5])
            sink, right = sink + more, right + given
        inverse = 1.0 / (sink + 2.0 * (k[0] + k[1] + k[2]))
        if flags & HAS_FIXED and fixed[v]:
            right, sink, inverse = 0.0, 0.0, 0.0
        b[v] = right
        sigma[v] = sink
        dinv[v] = inverse


@cuda.jit
def start(r, c, b, sigma, dinv, fixed, flags, geo, k, lanes):
    """r = b - A c; lanes: r . D^-1 r and b . D^-1 b, given voxels counted by what they send out."""
    s0 = 2.0 * (k[0] + k[1] + k[2])
    for lane in range(cuda.grid(1), lanes.shape[1], cuda.gridsize(1)):
        rest, size = 0.0, 0.0
        for v in range(lane, c.size, lanes.shape[1]):
            if flags & HAS_FIXED and fixed[v]:
                r[v] = 0.0
                size += s0 * c[v] * c[v]
            else:
                left = b[v] - (sigma[v] + s0) * c[v] + neighbours(c, v, geo, k)
                r[v] = left
                rest += left * left * dinv[v]
                size += b[v] * b[v] * dinv[v]
        lanes[0, lane] = rest
        lanes[1, lane] = size


@cuda.jit
def direction(p, z, scalars):
    """p = z + beta p."""
    beta = scalars[1]
    for v in range(cuda.grid(1), p.size, cuda.gridsize(1)):
        p[v] = z[v] + beta * p[v] if beta != 0.0 else z[v]


@cuda.jit
def apply(q, p, sigma, fixed, flags, geo, k, lanes):
    """q = A p; lanes: p . q."""
    s0 = 2.0 * (k[0] + k[1] + k[2])
    for lane in range(cuda.grid(1), lanes.shape[1], cuda.gridsize(1)):
        total = 0.0
        for v in range(lane, p.size, lanes.shape[1]):
            value = (sigma[v] + s0) * p[v] - neighbours(p, v, geo, k)
            total += p[v] * value
            q[v] = 0.0 if flags & HAS_FIXED and fixed[v] else value
        lanes[0, lane] = total


@cuda.jit
def shrink(c, r, p, q, dinv, scalars, lanes):
    """c += alpha p, r -= alpha q; lanes: r . D^-1 r."""
    alpha = scalars[0]
    for lane in range(cuda.grid(1), lanes.shape[1], cuda.gridsize(1)):
        total = 0.0
        for v in range(lane, c.size, lanes.shape[1]):
            c[v] += alpha * p[v]
            r[v] -= alpha * q[v]
            total += r[v] * r[v] * dinv[v]
        lanes[0, lane] = total


@cuda.jit
def clip(c):
    """The exact solution is not negative: what falls below by the tolerance becomes 0."""
    for v in range(cuda.grid(1), c.size, cuda.gridsize(1)):
        if c[v] < 0.0:
            c[v] = 0.0


@cuda.jit
def budget(c, b, sigma, lanes):
    """Lanes: gains sum b and losses sum sigma c."""
    for lane in range(cuda.grid(1), lanes.shape[1], cuda.gridsize(1)):
        gain, lost = 0.0, 0.0
        for v in range(lane, c.size, lanes.shape[1]):
            gain += b[v]
            lost += sigma[v] * c[v]
        lanes[0, lane] = gain
        lanes[1, lane] = lost


@cuda.jit
def fold(lanes, few):
    """Add lanes (2, m) up into few (2, at most 256)."""
    for at in range(cuda.grid(1), few.shape[1], cuda.gridsize(1)):
        for row in range(2):
            total = 0.0
            for lane in range(at, lanes.shape[1], few.shape[1]):
                total += lanes[row, lane]
            few[row, at] = total


ALPHA, BETA, RZ, FIRST, SECOND = 0, 1, 2, 3, 4  # places in `scalars`
BY_RZ, BY_CURVATURE, BY_SUMS = 0, 1, 2


@cuda.jit
def conclude(few, scalars, what):
    """One thread: the two sums, and what conjugate gradients make of the first."""
    if cuda.grid(1) == 0:
        first, second = 0.0, 0.0
        for at in range(few.shape[1]):
            first += few[0, at]
            second += few[1, at]
        if what == BY_RZ:
            scalars[1] = first / scalars[2] if scalars[2] != 0.0 else 0.0
            scalars[2] = first
        elif what == BY_CURVATURE:
            scalars[0] = scalars[2] / first if first > 0.0 else 0.0
        scalars[3] = first
        scalars[4] = second


# ---- the multigrid cycle --------------------------------------------------------------------------------
@cuda.jit
def coarsen(sigma, dinv, to_sigma, to_dinv, geo, to_geo, k, to_s0, cap, share):
    """Sigma of the next level, the mean over the children of sigma capped; and its 1/diagonal."""
    nz, ny, nx = geo[0], geo[1], geo[2]
    my, mx = to_geo[1], to_geo[2]
    for big in range(cuda.grid(1), to_sigma.size, cuda.gridsize(1)):
        z, y, x = 2 * (big // (mx * my)), 2 * (big // mx % my), 2 * (big % mx)
        total = 0.0
        for cz in range(z, min(z + 2, nz)):
            for cy in range(y, min(y + 2, ny)):
                for cx in range(x, min(x + 2, nx)):
                    v = (cz * ny + cy) * nx + cx
                    part = sigma[v] * dinv[v] if dinv[v] > 0.0 else 1.0
                    total += share * part * (1.0 + cap * part)
        to_sigma[big] = total
        to_dinv[big] = 1.0 / (total + to_s0) if total + to_s0 > 0.0 else 0.0


@cuda.jit
def leave(t, r, dinv, geo, k):
    """What the first sweep from zero leaves, (1 - OMEGA) r + k sum z, times g (2 - g), for restriction."""
    s0 = 2.0 * (k[0] + k[1] + k[2])
    for v in range(cuda.grid(1), r.size, cuda.gridsize(1)):
        g = s0 * dinv[v]
        left = (1.0 - OMEGA) * r[v] + OMEGA * smoothed_neighbours(r, dinv, v, geo, k)
        t[v] = left * (g * (2.0 - g))


@cuda.jit
def restrict(coarse, t, geo, to_geo, child_z, weight_z, child_y, weight_y, child_x, weight_x):
    """Transpose of `interpolate`, averaged: what up to four children an axis hand to their parent."""
    ny, nx = geo[1], geo[2]
    my, mx = to_geo[1], to_geo[2]
    for big in range(cuda.grid(1), coarse.size, cuda.gridsize(1)):
        z, y, x = big // (mx * my), big // mx % my, big % mx
        total = 0.0
        for a in range(4):
            if weight_z[z, a] > 0.0:
                for e in range(4):
                    w = weight_z[z, a] * weight_y[y, e]
                    if w > 0.0:
                        row = (child_z[z, a] * ny + child_y[y, e]) * nx
                        for i in range(4):
                            if weight_x[x, i] > 0.0:
                                total += w * weight_x[x, i] * t[row + child_x[x, i]]
        coarse[big] = total


@cuda.jit
def interpolate(x, r, coarse, dinv, geo, to_geo, k, parent_z, parent_y, parent_x):
    """x = OMEGA D^-1 r + g (2 - g) times the bilinear value of `coarse`."""
    ny, nx = geo[1], geo[2]
    my, mx = to_geo[1], to_geo[2]
    s0 = 2.0 * (k[0] + k[1] + k[2])
    for v in range(cuda.grid(1), x.size, cuda.gridsize(1)):
        z, y, j = v // (nx * ny), v // nx % ny, v % nx
        wide = 0.0
        for a in range(2):
            for e in range(2):
                w = (0.75 if a == 0 else 0.25) * (0.75 if e == 0 else 0.25)
                row = (parent_z[z, a] * my + parent_y[y, e]) * mx
                wide += w * (0.75 * coarse[row + parent_x[j, 0]] + 0.25 * coarse[row + parent_x[j, 1]])
        g = s0 * dinv[v]
        x[v] = OMEGA * dinv[v] * r[v] + g * (2.0 - g) * wide


@cuda.jit
def scale(t, r, dinv, lanes):
    """t = D^-1 r; lanes: r . t."""
    for lane in range(cuda.grid(1), lanes.shape[1], cuda.gridsize(1)):
        total = 0.0
        for v in range(lane, r.size, lanes.shape[1]):
            t[v] = dinv[v] * r[v]
            total += t[v] * r[v]
        lanes[0, lane] = total


@cuda.jit
def sweep(out, x, r, dinv, geo, k, lanes):
    """One damped Jacobi sweep, out = x + OMEGA D^-1 (r - A x); lanes: r . out."""
    for lane in range(cuda.grid(1), lanes.shape[1], cuda.gridsize(1)):
        total = 0.0
        for v in range(lane, r.size, lanes.shape[1]):
            value = (1.0 - OMEGA) * x[v] + OMEGA * dinv[v] * (r[v] + neighbours(x, v, geo, k))
            out[v] = value
            total += value * r[v]
        lanes[0, lane] = total
