"""Loops over cells that need blocks, early reads or bit masks; the laws they apply are given to them."""
