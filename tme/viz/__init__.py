"""Figures and the report of a run. Reads run directories only; no model is imported here."""
