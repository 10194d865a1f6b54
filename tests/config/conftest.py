"""A small registry of parameters and a writer of config files, so that these tests need no model."""

import pytest

import tme.model.registry  # noqa: F401  # the package's groups of parameters get their names before those of these tests, so that their kernels are found compiled
from tme.config import ConfigError, load_config
from tme.core.parameters import ParameterSet, par

REGISTRY = {
    "ferroptosis": ParameterSet(
        "ferroptosis",
        par("f_x", 0.7, "1", 0.0, 1.0, "assumed: for tests"),
        par("v_x", 24.0, "uM/min", 0.0, 500.0, "assumed: for tests"),
    ),
    "division": ParameterSet("division", par("drift", 0.05, "1", 0.0, 1.0, "assumed: for tests")),
}
CLOCKS = {"ferroptosis": 0.0, "division": 6.0, "motility": 5.0}
BASE = """\
horizon_day: 6
domain: {size_um: [1000, 1000]}
initial: {kind: nodule, n_cells: 200}
"""


class Writer:
    """Writes YAML files into a folder and loads them."""

    base = BASE

    def __init__(self, folder):
        self.folder = folder

    def write(self, text, name="x.yaml"):
        path = self.folder / name
        path.write_bytes(text) if isinstance(text, bytes) else path.write_text(text)
        return path

    def load(self, text="", name="x.yaml", base=BASE, **options):
        path = self.write(text if isinstance(text, bytes) else base + text, name)
        return load_config(path, REGISTRY, clocks=CLOCKS, **options)

    def faults(self, text="", name="x.yaml", base=BASE, **options):
        with pytest.raises(ConfigError) as caught:
            self.load(text, name, base, **options)
        return caught.value.faults

    def only(self, text="", **options):
        found = self.faults(text, **options)
        assert len(found) == 1, [str(f) for f in found]
        return found[0]


@pytest.fixture
def yaml(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return Writer(tmp_path)
