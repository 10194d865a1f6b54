"""A sweep gets its laws by name, and is kept by the file they stand in."""

from __future__ import annotations

import numpy as np
import pytest

from tme.kernels.inline_laws import with_laws
from tme.kernels.jit import rule, serial


def law(x):
    """To be given."""
    raise NotImplementedError


def sweep(values, out):
    """out = law(values)."""
    for i in range(values.size):
        out[i] = law(values[i])


@rule
def twice(x):
    return 2.0 * x


@rule
def square(x):
    return x * x


def test_one_sweep_applies_whatever_law_it_is_given():
    values, out = np.arange(4.0), np.zeros(4)
    for given in (twice, square):
        bound = serial(with_laws(sweep, __file__, law=given))
        bound(values, out)
        assert out.tolist() == [given(v) for v in values]
    with pytest.raises(NotImplementedError):
        sweep(values, out)


def test_a_bound_sweep_belongs_to_the_file_of_its_laws():
    bound = with_laws(sweep, "/somewhere/laws.py", law=twice)
    assert bound.__code__.co_filename == "/somewhere/laws.py" != sweep.__code__.co_filename
    assert bound.__closure__ is None and bound.__doc__ == sweep.__doc__


def test_a_law_the_sweep_does_not_use_is_refused():
    with pytest.raises(NameError, match=r"sweep uses no law \['lwa'\]"):
        with_laws(sweep, __file__, lwa=twice)
