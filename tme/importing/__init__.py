"""Models and tissues of others: what they say becomes a config of ours, and what they say that we cannot is listed."""
