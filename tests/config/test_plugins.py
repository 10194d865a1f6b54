"""Laws and readouts in files of the user's own: allowed only by word, part of a run's identity, the same in every process."""

import json
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from support import DISH, config_of

import tme
from tme.cli import main
from tme.config import ConfigError
from tme.core.mechanism import Mechanism, Phase
from tme.core.plugins import PluginError, joined, plugin_of
from tme.experiments.run_directory import ConfigMismatch, RunError, prepare, read_config
from tme.model import TumourModel, load_config

LAW = Path(__file__).with_name("my_law.py")


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    shutil.copy(LAW, tmp_path / "my_law.py")
    return tmp_path


def write(place, name="x.yaml", **keys):
    """A dish whose config names my_law.py."""
    (place / name).write_text(json.dumps({**DISH, "name": "x", "plugins": ["my_law.py"], **keys}))
    return place / name


def stepped(model, n=30):
    """n ticks on."""
    for _ in range(n):
        model.step()
    return model


def test_a_law_acts_and_a_readout_adds_its_column(place):
    config = load_config(write(place), allow_plugins=True)
    off = load_config(write(place, mechanisms={**DISH["mechanisms"], "gsh_leak": {"on": False}}), allow_plugins=True)
    strong = load_config(write(place, mechanisms={**DISH["mechanisms"], "gsh_leak": {"k_leak": 0.1}}), allow_plugins=True)
    with_it, without, more = (stepped(TumourModel(c)).observe()["gsh_mean"] for c in (config, off, strong))
    assert more < with_it < without
    entries = [m.name for m in TumourModel(config).plan.entries]
    assert entries.index("killing") < entries.index("gsh_leak") < entries.index("resolve")


def test_a_plugin_switched_off_changes_no_bit(place):
    off = load_config(write(place, mechanisms={**DISH["mechanisms"], "gsh_leak": {"on": False}}), allow_plugins=True)
    without, plain = stepped(TumourModel(off)), stepped(TumourModel(config_of(DISH)))
    assert np.array_equal(without.tumour.gsh, plain.tumour.gsh) and np.array_equal(without.tumour.plooh, plain.tumour.plooh)


def test_code_runs_only_by_word(place, capsys):
    (place / "my_law.py").write_text("raise SystemExit('it ran')\n")
    with pytest.raises(ConfigError, match=r"my_law.py is code.*--allow-plugins"):
        load_config(write(place))
    for command in (["check", "x.yaml"], ["run", "x.yaml"], ["describe", "x.yaml"], ["list", "drugs", "--config", "x.yaml"]):
        with pytest.raises(SystemExit) as ended:
            main(command)
        assert ended.value.code == 2
        assert "--allow-plugins" in capsys.readouterr().err
    assert sorted(p.name for p in place.iterdir()) == ["my_law.py", "x.yaml"]


def test_the_command_takes_its_word(place, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["describe", str(write(place)), "--allow-plugins", "--json"])
    assert ended.value.code in (0, None)
    found = json.loads(capsys.readouterr().out)
    plan = next(v for k, v in found.items() if k.startswith("plan"))
    assert [r["does"] for r in plan if r["entry"] == "gsh_leak"] == ["living tumour cells leak GSH"]
    assert any(r["parameter"] == "gsh_leak.k_leak" for r in found["parameters"])


def test_parameters_of_a_plugin_are_checked_and_swept_like_ours(place):
    for mechanisms, key, words in (
        ({"gsh_leak": {"k_leak": 3}}, "mechanisms.gsh_leak.k_leak", "0 to 0.5 1/min"),
        ({"gsh_leak": {"k_leek": 0.1}}, "mechanisms.gsh_leak.k_leek", "did you mean 'k_leak'"),
        ({"gsh_leek": {"k_leak": 0.1}}, "mechanisms.gsh_leek", "did you mean 'gsh_leak'"),
    ):
        with pytest.raises(ConfigError) as caught:
            load_config(write(place, mechanisms=mechanisms), allow_plugins=True)
        assert caught.value.faults[0].key == key and words in str(caught.value)
    config = load_config(write(place, sweep={"mechanisms.gsh_leak.k_leak": [0.1, 0.2]}), allow_plugins=True)
    assert config.with_values({"mechanisms.gsh_leak.k_leak": 0.2}).mechanism_parameters()["gsh_leak"]["k_leak"] == 0.2


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("PLUGINS = ", "PLUGIN = ", "has no PLUGINS"),
        ("(GshLeak, gsh)", "(GshLeak, 3)", "PLUGINS holds 3"),
        ("def gsh(model):", "def gsh(model)", r"my_law.py:43: SyntaxError"),
        ('name = "gsh_leak"', 'name = ""', "has the name ''"),
        ('name = "gsh_leak"', 'name = "killing"', "has the parameters of 'gsh_leak'"),
        ('"gsh_leak", par', '"killing", par', "has the parameters of 'killing'"),
        ("phase = Phase.INTERACT", "phase = 5", "has the phase 5"),
        ("def step(", "def stap(", r"has no step\(self, model\)"),
        ("0.01, \"1/min\", 0.0, 0.5", "0.9, \"1/min\", 0.0, 0.5", "outside"),
        ("Term(\"gsh_leak.rate\"", "str(\"gsh_leak.rate\"", "TypeError"),
    ],
)  # fmt: skip
def test_a_broken_plugin_is_refused_with_what_is_wrong(place, old, new, words):
    text = LAW.read_text()
    assert old in text
    (place / "my_law.py").write_text(text.replace(old, new, 1))
    with pytest.raises(ConfigError, match=words) as caught:
        load_config(write(place), allow_plugins=True)
    fault = caught.value.faults[0]
    assert (fault.file, fault.line, fault.key) == ("x.yaml", 1, "plugins.0")


def test_names_that_are_taken_and_clashing_writes_are_refused(place):
    text = LAW.read_text().replace("gsh_leak", "killing")
    (place / "my_law.py").write_text(text)
    with pytest.raises(ConfigError, match="the name 'killing' is taken"):
        load_config(write(place), allow_plugins=True)
    (place / "my_law.py").write_text(LAW.read_text().replace("Phase.INTERACT", "Phase.INTRACELLULAR").replace("adds =", "writes ="))
    with pytest.raises(PluginError, match=r"tumour\.gsh.* in phase INTRACELLULAR"):  # what a pathway writes is known with the model
        TumourModel(load_config(write(place), allow_plugins=True))
    (place / "my_law.py").write_text(LAW.read_text().replace('"gsh_mean"', '"tumour_alive"'))
    with pytest.raises(ValueError, match="the column tumour_alive is there already"):
        TumourModel(load_config(write(place), allow_plugins=True)).observe()


def half(model):
    """A readout of half the cells."""
    return {"half": model.tumour.n / 2}


class Nothing(Mechanism):
    """A law that counts its calls."""

    name = "nothing"
    phase = Phase.SENSE

    def step(self, model):
        """One tick."""
        model.counters["nothing"] += 1


def test_python_hands_over_files_modules_classes_and_functions(place):
    import importlib.util

    spec = importlib.util.spec_from_file_location("my_law_module", place / "my_law.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    config = config_of(DISH)
    for given in ("my_law.py", place / "my_law.py", module, module.GshLeak):
        model = stepped(TumourModel(config, plugins=(given,)), 2)
        assert model.mechanism("gsh_leak").p.k_leak == 0.01
    model = stepped(TumourModel(config, plugins=(Nothing, half)), 2)
    assert model.counters["nothing"] == 2 and model.observe()["half"] == model.tumour.n / 2
    assert TumourModel(write(place), plugins=["my_law.py"]).mechanism("gsh_leak")  # the file it names, allowed by hand
    with pytest.raises(RunError, match="hand them over as files"):
        tme.run(TumourModel(config, plugins=(half,)).config, out=place / "run")


def test_the_terms_of_a_plugin_can_be_found(place):
    config = load_config(write(place), allow_plugins=True)
    assert [t.name for t in joined(config.plugins).terms] == ["gsh_leak.rate"]


def test_the_hash_follows_the_code_and_a_run_keeps_its_copy(place):
    config = load_config(write(place), allow_plugins=True)
    (place / "run").mkdir()
    prepare(place / "run", config)
    assert read_config(place / "run")["plugins"] == ["plugins/my_law.py"]
    (place / "my_law.py").write_text(LAW.read_text().replace("0.01,", "0.02,"))
    changed = load_config(write(place), allow_plugins=True)
    assert changed.digest != config.digest != load_config(write(place, plugins=[])).digest
    with pytest.raises(ConfigMismatch):
        prepare(place / "run", changed)
    (place / "my_law.py").unlink()
    again = load_config(place / "run" / "config.resolved.yaml", allow_plugins=True)
    assert again.digest == config.digest
    prepare(place / "run", again)
    assert TumourModel(again).mechanism("gsh_leak").p.k_leak == 0.01
    prepare(place / "run", changed, fresh=True)
    assert "0.02," in (place / "run" / "plugins" / "my_law.py").read_text()


WORKER = """
import pickle, sys
from tme.model import TumourModel
config = pickle.load(open("config.pickle", "rb"))
model = TumourModel(config)
for _ in range(10):
    model.step()
print(repr(float(model.tumour.gsh.sum())), model.mechanism("gsh_leak").p.k_leak)
"""


def test_another_process_runs_the_code_as_it_was_when_it_was_loaded(place):
    config = load_config(write(place), allow_plugins=True)
    here = float(stepped(TumourModel(config), 10).tumour.gsh.sum())
    (place / "config.pickle").write_bytes(pickle.dumps(config))
    (place / "my_law.py").write_text("raise SystemExit('changed meanwhile')\n")
    done = subprocess.run([sys.executable, "-c", WORKER], capture_output=True, text=True, timeout=300)
    assert done.stdout.split() == [repr(here), "0.01"], done.stderr


def test_a_checkpoint_of_a_model_with_a_plugin_goes_on_bit_for_bit(place):
    config = load_config(write(place), allow_plugins=True)
    straight = stepped(TumourModel(config), 5)
    copy = TumourModel.from_state(config, straight.state_dict())
    assert np.array_equal(stepped(copy, 5).tumour.gsh, stepped(straight, 5).tumour.gsh)


def test_a_plugin_is_identified_by_its_bytes(place):
    a = plugin_of("my_law.py")
    (place / "copy").mkdir()
    shutil.copy(LAW, place / "copy" / "other.py")
    assert a.sha256 == plugin_of(place / "copy" / "other.py").sha256
    with pytest.raises(PluginError, match="No such file"):
        plugin_of("nowhere.py")
