"""Is there a device, and what is it called; with a stand-in for the package, since no test may need one."""

from __future__ import annotations

import sys
from importlib import metadata
from types import SimpleNamespace

import numba
import pytest

from tme.core import device


@pytest.fixture
def cuda(monkeypatch):
    """A numba.cuda that says what the test wants."""
    fake = SimpleNamespace(is_available=lambda: True, get_current_device=lambda: SimpleNamespace(name=b"Imagined 1"))
    monkeypatch.setattr(metadata, "version", lambda name: "1.0")
    monkeypatch.setattr(numba.config, "ENABLE_CUDASIM", 0)
    monkeypatch.setattr(numba, "cuda", fake, raising=False)
    monkeypatch.setitem(sys.modules, "numba.cuda", fake)
    return fake


def test_a_device_that_is_there_is_told_by_its_name(cuda):
    assert device.check("cuda") == "Imagined 1"
    cuda.get_current_device = lambda: SimpleNamespace(name="Imagined 2")
    assert device.check("cuda") == "Imagined 2"


def test_a_missing_device_is_told_with_what_to_do(cuda):
    cuda.is_available = lambda: False
    with pytest.raises(device.DeviceError, match=r"no CUDA device was found.*--device cpu needs none") as told:
        device.check("cuda")
    assert told.value.exit_code == 2  # bad input, as everywhere


def test_a_missing_package_is_told_with_how_to_get_it(cuda, monkeypatch):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "version", missing)
    with pytest.raises(device.DeviceError, match="numba-cuda is missing"):
        device.check("cuda")


def test_the_processor_is_always_there_and_other_words_are_refused():
    assert device.check("cpu") == "cpu"
    with pytest.raises(device.DeviceError, match="unknown device; expected one of cpu, cuda"):
        device.check("gpu")
