"""The slow twin: the model's rules in plain Python, one `mesa.Agent` a cell. Read it as the specification."""
