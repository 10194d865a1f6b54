"""Where vessels run: one across the slab of a site in 2D, lines walked from face to face in 3D.

A segment is [rank, [(voxel, um), ...]]. Rates per vessel are for 20 um of it.
"""

import math

NOMINAL, SEGMENT = 20.0, 100.0


def segments(dice, lattice, per_mm2):
    """All segments of the domain."""
    across = lattice.voxel_um3 / lattice.dx**2
    if lattice.flat:
        chance = per_mm2 * 1e-6 * lattice.dx**2
        sites = [v for v in range(lattice.n_voxels) if dice.uniform("vessel", 0, v, 0) < chance]
        return [[dice.uniform("vessel", 0, v, 1), [(v, across)]] for v in sites]
    size = [n * lattice.dx for n in lattice.shape]
    centre = [0.5 * s for s in size]
    radius, density = math.sqrt(sum(c * c for c in centre)), per_mm2 * 1e-6
    out, line, area = [], 0, -math.log(dice.uniform("vessel", 0, 0, 2))
    while area < density * math.pi * radius**2:
        u = {name: dice.uniform("vessel", 0, line, sub) for name, sub in (("height", 3), ("azimuth", 4), ("angle", 5), ("cut", 6))}
        a, b, r = 2 * math.pi * u["azimuth"], 2 * math.pi * u["angle"], math.sqrt(area / (math.pi * density))
        h = u["height"]
        w = math.sqrt(1.0 - h * h)
        along = (h, w * math.sin(a), w * math.cos(a))
        first, second = (0.0, math.cos(a), -math.sin(a)), (-w, h * math.sin(a), h * math.cos(a))
        start = [c + r * math.cos(b) * f + r * math.sin(b) * s for c, f, s in zip(centre, first, second)]
        for number, pieces in walk(lattice, start, along, SEGMENT * u["cut"], radius).items():
            out.append([dice.uniform("vessel", 0, line * 2**20 + 2**19 + number, 7), pieces])
        line += 1
        area -= math.log(dice.uniform("vessel", 0, line, 2))
    return out


def walk(lattice, start, along, cut, radius):
    """Pieces (voxel, um) by segment number, from plane to plane between the ball's two ends of the line."""
    out, t = {}, -radius - 1.0
    while t < radius + 1.0:
        ends = [cut + SEGMENT * (math.floor((t - cut) / SEGMENT) + 1)]
        for p, e in zip(start, along):
            i = math.floor((p + e * t) / lattice.dx + (1e-9 if e > 0 else -1e-9))
            ends.append((lattice.dx * (i + (1 if e > 0 else 0)) - p) / e)
        end = min(x for x in ends if x > t + 1e-9)
        middle = 0.5 * (t + end)
        z, y, x = at = [math.floor((p + e * middle) / lattice.dx) for p, e in zip(start, along)]
        if all(0 <= i < n for i, n in zip(at, lattice.shape)):
            voxel = (z * lattice.shape[1] + y) * lattice.shape[2] + x
            out.setdefault(math.floor((middle - cut) / SEGMENT), []).append((voxel, end - t))
        t = end
    return out


def open_weight(segments_, factor):
    """Length over 20 um of open vessel by voxel; `factor` of a list of voxels says which ranks are open."""
    out = {}
    for rank, pieces in segments_:
        if rank < factor([v for v, _ in pieces]):
            for v, um in pieces:
                out[v] = out.get(v, 0.0) + um / NOMINAL
    return out
