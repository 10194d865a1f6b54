"""Experiments as YAML: one file, one experiment; every fault told at once with its file and line."""

from tme.config.errors import ConfigError, Fault
from tme.config.load import load_config
from tme.config.schema import Config

__all__ = ["Config", "ConfigError", "Fault", "load_config"]
