"""The device's versions of the field solver, through numba-cuda.

Nothing imports this package unless `--device cuda` was asked for: its modules need `numba.cuda`.
"""
