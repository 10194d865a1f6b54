"""Spatial statistics by name: the same of a table, of a snapshot and of a model; a measured one is a datum of calibrate."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from patterns import SIZE, poisson, two_types

from tme.config import ConfigError
from tme.experiments.evaluation import evaluate, spatial_values
from tme.experiments.h5ad import write_h5ad
from tme.model import TumourModel, load_config
from tme.readouts.tables import cells_table
from tme.spatial import SpatialError, box, cells, correlation, enrichment, nearest_um, values
from tme.spatial.analysis import Ask, seen_cells
from tme.spatial.names import RANGES, names
from tme.spatial.runs import Snapshot, cells_of
from tme.studies.calibration_plan import plan_of

CONFIG = """\
horizon_day: 1
domain: {size_um: [450, 450]}
initial: {kind: nodule, n_cells: 250}
populations: {cd8: {per_mm2: 300}, macrophage: {per_mm2: 300}}
arms: {control: {}}
study: {kind: calibrate, data: data.csv, ranges: {mechanisms.division.k_div: own}}
"""
ASKED = ("spatial.contacts.cd8.tumour", "spatial.contacts.macrophage.macrophage", "spatial.nearest_um.tumour.cd8", "spatial.near_share.tumour.macrophage",
         "spatial.pcf.cd8.tumour.30_60", "spatial.assortativity")  # fmt: skip


@pytest.fixture
def config(tmp_path):
    (tmp_path / "c.yaml").write_text(CONFIG)
    (tmp_path / "data.csv").write_text("day,readout,value,sd\n0.25,spatial.contacts.cd8.tumour,0.8,0.1\n")
    return load_config(tmp_path / "c.yaml")


def test_a_name_means_what_its_statistic_is():
    rng = np.random.default_rng(1)
    of = two_types(rng, poisson(rng, 1e-3))
    found = values(of, ["spatial.contacts.a.b", "spatial.nearest_um.a.b", "spatial.near_share.b.a", f"spatial.pcf.a.b.{RANGES[1]}", "spatial.assortativity"])
    assert found["spatial.contacts.a.b"] == pytest.approx(enrichment(of, shuffles=0).ratio[0, 1])
    distance = nearest_um(of, of.of("b"))[of.of("a")]
    assert found["spatial.nearest_um.a.b"] == pytest.approx(np.median(distance))
    assert found["spatial.near_share.b.a"] == pytest.approx((nearest_um(of, of.of("a"))[of.of("b")] <= 30).mean())
    assert found["spatial.pcf.a.b.30_60"] == pytest.approx(correlation(of, 60, 30, draws=0).ratio[0, 1, 1])
    assert np.isnan(values(of, ["spatial.contacts.a.dead_other"])["spatial.contacts.a.dead_other"])
    with pytest.raises(SpatialError, match=r"unknown spatial statistic 'spatial\.contcts\.a\.b'"):
        values(of, ["spatial.contcts.a.b"])


def test_every_name_can_be_told_of_cells_that_have_the_types():
    rng = np.random.default_rng(2)
    points = poisson(rng, 6e-4)
    kind = rng.integers(0, 4, len(points))
    of = cells(points, np.array(["x", "y", "dead_ferroptosis", "dead_other"])[kind], box([0, 0], SIZE), death_hour=np.where(kind == 2, rng.random(len(points)), np.nan))
    found = values(of, names(("x", "y")))
    assert len(found) == 16 * 7 + 3 and np.isfinite(list(found.values())).all()


def test_model_and_snapshot_give_the_same(config, tmp_path):
    model = TumourModel(config, arm="control")
    for _ in range(40):
        model.step()
    table = cells_table(model)
    write_h5ad(tmp_path / "cells_0.h5ad", table, {"hour": 0.0}, flat=True)
    whole, _ = cells_of(Snapshot(tmp_path / "cells_0.h5ad", "control", 0, 0.0), box([0, 0], [450, 450]))
    seen, _region = seen_cells(whole, Ask(window="tumour"), True)
    found = spatial_values(model, ("tumour_alive", *ASKED))
    assert list(found) == list(ASKED) and np.isfinite(list(found.values())).all()
    assert found == pytest.approx(values(seen, ASKED))


def test_studies_read_them_like_any_readout(config):
    record = evaluate(config, "control", 1, ("tumour_alive", *ASKED), (0.0, 0.25))["control"]["values"]
    assert all(len(record[a]) == 2 and all(v is not None for v in record[a]) for a in ASKED)
    assert record["spatial.contacts.cd8.tumour"][0] > 0


def test_a_measured_statistic_is_a_datum_of_calibrate(config, tmp_path):
    plan = plan_of(config, quick=True)
    assert [(r.readout, r.value, r.sd, r.log) for r in plan.rows] == [("spatial.contacts.cd8.tumour", 0.8, 0.1, True)]
    (tmp_path / "data.csv").write_text("day,readout,value\n0.25,spatial.contacts.cd8.tumor,0.8\n")
    with pytest.raises(ConfigError, match=r"data\.csv:2: readout: unknown readout 'spatial\.contacts\.cd8\.tumor'.*did you mean 'spatial\.contacts\.cd8\.tumour'"):
        plan_of(config, quick=True)


def test_the_package_is_there_with_tme_itself():
    code = "import tme; c = tme.spatial.cells([[0, 0], [9, 0], [0, 9]], list('aab')); print(tme.spatial.enrichment(c, shuffles=0).contacts.tolist())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["[[2,", "2],", "[2,", "0]]"]
