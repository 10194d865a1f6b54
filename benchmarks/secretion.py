"""What the combination's excess over Bliss hangs on: how much IFN-gamma an engaged CD8 secretes.

    python benchmarks/secretion.py [--rates 200 60 27 5] [--seeds 10] [--days 7] [--out runs/secretion] [--jobs 2]

The four arms on the small paired tumours of configs/attribution.yaml, once per rate (molecules/s), all arms read on
the same day. Prints living tumour cells over the same seed's control, and the excess, mean and 95 % t interval.
"""

from __future__ import annotations

from pathlib import Path

from paired_arms import ARMS, guarded, interval, parser, read, run, shares

KEY = "mechanisms.killing.ifng_molecules_s"


def main() -> None:
    """Run every rate, then read all of them on one day."""
    options = parser(__doc__.splitlines()[0], "runs/secretion")
    options.add_argument("--rates", type=float, nargs="+", default=[200.0, 60.0, 27.0, 5.0])
    options.add_argument("--seeds", type=int, default=10)
    options.add_argument("--days", type=float, default=7.0)
    a = options.parse_args()
    runs = {}
    for rate in a.rates:
        changes = [f"replicates={a.seeds}", f"horizon_day={a.days:g}", "output.snapshot_days=[]", *a.changes]
        runs[f"{rate:g}"] = run(a.config, [*changes, f"{KEY}={rate:g}"], Path(a.out) / f"rate-{rate:g}", a.jobs)
    day, rows = read(runs, a.day)
    table = lines(rows)
    (Path(a.out) / "secretion.md").write_text("\n".join(table) + "\n")
    print(f"\nday {day:g}, {len(table) - 2} rates\n")
    print("\n".join(table))


def lines(rows: dict) -> list[str]:
    """A Markdown table, one line per rate."""
    out = ["| IFN-γ, molecules/s | n | control, cells | anti-PD-L1 | particles | both | excess over Bliss |", "|---|---|---|---|---|---|---|"]
    for rate, table in rows.items():
        s = shares(table)
        each = " | ".join(interval(s[arm]) for arm in ARMS)
        out.append(f"| {rate} | {len(s)} | {s['control_cells'].mean():,.0f} | {each} | {interval(s['excess'], 3)} |")
    return out


if __name__ == "__main__":
    guarded(main)
