"""Rules: what a cell senses changes what its laws do. Entries are data (`library/rules.yaml`), nothing here knows one by name.

`resolve` finds the rules of a config and checks them, `signals` what a cell can know, `evaluation` the entry of the plan
that turns signals into terms, `sentences` how a rule reads, `grammar` PhysiCell's way of combining rules.
"""
