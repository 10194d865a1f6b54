"""The page of `tme live` over HTTP: what it commands, what is refused, and that no other page can command."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from importlib.resources import files
from pathlib import Path

import live_config
import pytest

from tme.experiments.live import LOG, Session
from tme.experiments.run_directory import is_done
from tme.viz import cautions, steered
from tme.viz.load import Run
from tme.viz.viewer import frames
from tme.viz.viewer.kept import encode
from tme.viz.viewer.notebook import live_module
from tme.viz.viewer.server import ViewServer
from tme.viz.viewer.source import Source

CONFIGS = Path(__file__).parents[2] / "configs"
HOSTILE = "<img src=x onerror=alert(1)>"


class Client:
    """A page's side of a server, by urllib."""

    def __init__(self, url: str) -> None:
        self.url = url

    def get(self, path: str) -> bytes:
        """What is at a path."""
        with urllib.request.urlopen(self.url + path, timeout=60) as answer:
            return answer.read()

    def index(self) -> dict:
        """The index."""
        return json.loads(self.get("index.json"))

    def send(self, what: object, raw: bytes | None = None, **headers: str | None) -> tuple[int, dict | str]:
        """Status and answer of a command; a header that is None is left out."""
        given = {"Content-Type": "application/json", "X-Tme-Token": self.index()["token"], **{k.replace("_", "-"): v for k, v in headers.items()}}
        asked = urllib.request.Request(self.url + "control", raw or json.dumps(what).encode(), {k: v for k, v in given.items() if v is not None}, method="POST")
        try:
            with urllib.request.urlopen(asked, timeout=120) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as refused:
            with refused:
                text = refused.read().decode()
            return refused.code, json.loads(text) if text.startswith("{") else text


@pytest.fixture
def served(tmp_path):
    """A live session of the small tumour behind a server: (session, client, server)."""
    session = Session(live_config.live(tmp_path, encode=encode))
    server = ViewServer(Source(session.folder), 0, session.ask, session.index)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield session, Client(server.url), server
    server.shutdown()
    server.server_close()
    session.end()


def test_a_page_steps_gives_and_changes_and_sees_the_cells_of_that_moment(served):
    session, client, _ = served
    index = client.index()
    assert index["live"]["state"] == "paused" and index["state"] == "running" and index["sentence"] == "" and index["live"]["tick"] == 0
    offered = client.send({"do": "catalogue"})[1]
    assert {"numbers", "agents", "keys"} <= set(offered)
    assert client.send({"do": "step", "ticks": 7, "wait": True}) == (200, {"ok": True, "tick": 7, "day": session.live.day})
    assert client.send({"do": "give", "kind": "drugs", "item": {"name": "rsl3", "route": "iv", "dose_mg_kg": 30}})[1]["line"]["tick"] == 7
    number = next(n for n in offered["numbers"] if n["key"] == "mechanisms.division.k_div")
    told = client.send({"do": "set", "key": number["key"], "value": number["high"]})
    assert told[0] == 200 and told[1]["line"]["was"] == number["value"]
    index = client.index()
    assert [x["event"] for x in index["live"]["log"]] == ["give", "set"] and index["doses"][0]["name"] == "RSL3"
    moments = index["arms"][0]["replicates"]["0"]
    assert [moments[0]["hour"], moments[-1]["hour"]] == pytest.approx([-6, -6 + 7 / 60], abs=1e-6) and not any(m["live"] for m in moments)
    head, cells, fields = frames.read(client.get(f"frames/control/0/{moments[-1]['id']}"))
    assert head["n"] == sum(p.n for p in session.live.model.populations) and "rsl3" in fields and "gsh" in cells
    assert client.send({"do": "start"})[0] == 200 and client.send({"do": "pause"})[0] == 200
    assert client.send({"do": "end"})[0] == 200
    index = client.index()
    assert index["live"]["state"] == "ended" and index["state"] == "done"
    assert client.send({"do": "step"}) == (400, {"error": "the run is at its end; start another with tme live"})


@pytest.mark.parametrize(("what", "words"), [
    ({"do": "give", "kind": "drugs", "item": {"name": HOSTILE, "dose_mg_kg": 1}}, "unknown drug"), ({"do": "give", "kind": "drugs", "item": {"name": "rsl3", "dose_mg_kg": "1"}}, "expected a number"),
    ({"do": "give", "kind": "drugs", "item": [1]}, "expected an item"), ({"do": "set", "key": ["a"], "value": 1}, "no number"), ({"do": "set", "key": "mechanisms.division.k_div", "value": None}, "is None; expected a number from 0"),
    ({"do": "set", "key": "seed", "value": 4}, "no number that can be changed"), ({"do": "quit"}, "do is 'quit'; expected one of"), ([1, 2], "do is None"), ({"do": {"a": 1}}, "expected one of"),
    ({"do": "step", "hours": "1"}, "expected a number above 0"), ({"do": "speed", "hours_per_s": -1}, "expected a number above 0"),
])  # fmt: skip
def test_a_bad_command_is_answered_with_a_sentence_and_changes_nothing(served, what, words):
    session, client, _ = served
    before = session.live.digest()
    status, answer = client.send(what)
    assert status == 400 and words in answer["error"]
    assert session.live.digest() == before and session.interventions == [] and client.index()["live"]["state"] == "paused"


@pytest.mark.parametrize("raw", [b"{", b"\xff\xfe", b'{"do": NaN}', b"[" * 3000])
def test_what_is_no_command_at_all_is_refused_and_the_server_goes_on(served, raw):
    _, client, _ = served
    assert client.send(None, raw=raw)[0] == 400
    assert client.send({"do": "step", "ticks": 1, "wait": True})[0] == 200


def test_no_other_page_can_command(served):
    session, client, server = served
    step = {"do": "step", "ticks": 1, "wait": True}
    for how in ({"X_Tme_Token": None}, {"X_Tme_Token": ""}, {"X_Tme_Token": "x" * 32}, {"X_Tme_Token": "ü"}, {"Origin": "http://evil.example"}, {"Origin": "null"}, {"Content_Type": "text/plain"},
                {"Content_Type": "application/x-www-form-urlencoded"}, {"Host": "evil.example"}, {"Host": f"evil.example:{server.server_port}"}):  # fmt: skip
        try:
            assert client.send(step, **how)[0] == 403, how
        except UnicodeEncodeError:  # a header that cannot even be sent
            assert "ü" in how.values()
    assert client.send(None, raw=b" " * 5000)[0] == 403
    assert session.live.tick == 0
    assert client.send(step, Origin=f"http://127.0.0.1:{server.server_port}")[0] == 200 and session.live.tick == 1
    line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
    line.request("GET", f"{server.place}/index.json", headers={"Host": "evil.example"})  # its name now means 127.0.0.1: it must not learn the token
    answer = line.getresponse()
    assert answer.status == 403 and server.token.encode() not in answer.read()
    line.close()


def test_the_page_of_a_live_run_has_its_panel_and_that_of_a_run_has_none(served, tmp_path):
    _, client, server = served
    assert b"LivePanel" in client.get("start.js") and b"class LivePanel" in client.get("live.js")
    with urllib.request.urlopen(server.url) as answer:
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'self'")
    plain = ViewServer(Source(tmp_path / "live"))
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    viewer = Client(plain.url)
    assert b"LivePanel" not in viewer.get("start.js") and "token" not in viewer.index()
    with pytest.raises(urllib.error.HTTPError):
        viewer.get("live.js")
    plain.shutdown()
    plain.server_close()


def test_the_panel_puts_no_text_into_a_page_as_code():
    for name in ("live.js", "start_live.js"):
        code = files("tme.viz.viewer").joinpath(name).read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|eval\(|</script|https?://", code)
    both = live_module()
    names = re.findall(r"^(?:export )?(?:const|class|function|async function) (\w+)", both, re.MULTILINE)
    assert sorted(set(names)) == sorted(names) and both.count("export default") == 1 and "import {" not in both


def test_a_report_says_that_a_run_was_steered_and_which_numbers_changed(tmp_path):
    model = live_config.ahead(live_config.live(tmp_path, encode=encode), 30)
    assert steered.steered(model.folder) == []
    model.give("drugs", {"name": "rsl3", "dose_mg_kg": 30})
    model.change("mechanisms.division.k_div", 0.0009)
    live_config.ahead(model, 30).end()
    told = cautions.warnings(Run(model.folder))
    assert any("1 doses or events given and 1 numbers changed" in t for t in told) and any("division.k_div from 0.00052 to 0.0009 1/min on day -0.23" in t for t in told)
    with open(model.folder / LOG, "a") as file:
        file.write(json.dumps({"event": "set", "key": HOSTILE, "was": HOSTILE, "value": None, "unit": HOSTILE, "day": HOSTILE}) + '\nno json\n[1]\n')
    assert HOSTILE not in cautions.warnings_html(Run(model.folder)) and "&lt;img" in cautions.warnings_html(Run(model.folder))


def test_the_pictures_of_a_session_are_seen_later_as_those_of_any_run(tmp_path):
    model = live_config.ahead(live_config.live(tmp_path, encode=encode), 200)
    model.end()
    source = Source(model.folder)
    index = source.index()
    hours = [m["hour"] for m in index["arms"][0]["replicates"]["0"]]
    assert index["state"] == "done" and hours == pytest.approx([-6, -5, -4, -3, -6 + 200 / 60], abs=1e-4)
    for hour in hours:
        assert frames.read(source.frame("control", 0, hour))[0]["n"] > 50


@pytest.fixture
def command(tmp_path):
    """A function that starts `tme live` in an empty folder and returns the process and a client of its page."""
    running = []

    def begin(*words: str) -> tuple[subprocess.Popen, Client]:
        live_config.write(tmp_path)
        line = [sys.executable, "-m", "tme", "live", "small.yaml", "--no-browser", "--out", "out", *words]
        process = subprocess.Popen(line, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        running.append(process)
        return process, Client(process.stdout.readline().strip())

    yield begin
    for process in running:
        process.kill()
        process.stdout.close()
        process.wait()


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)])
def test_ctrl_c_leaves_a_complete_run_that_can_be_done_again(command, tmp_path, tme, number):
    process, client = command("--arm", "treated", "--replicate", "1", "--set", "initial.n_cells=50")
    assert client.send({"do": "step", "ticks": 65, "wait": True})[1]["tick"] == 65
    assert client.send({"do": "give", "kind": "antibodies", "item": {"name": "anti_ctla4", "dose_mg_kg": 5}})[0] == 200
    client.send({"do": "start"})
    process.send_signal(number)
    told = process.communicate(timeout=120)[0]
    assert process.returncode == 0 and "1 interventions in live.jsonl" in told, told
    assert is_done(tmp_path / "out" / "treated" / "rep-001", verify=True) and not (tmp_path / "out" / "run.lock").exists()
    code, out, err = tme("live", "--replay", str(tmp_path / "out"), "--out", str(tmp_path / "again"))
    assert code == 0 and "the same bits: 2 of 2 states agree" in out, err
    assert (tmp_path / "again" / "summary.csv").read_text().splitlines()[0] == (tmp_path / "out" / "summary.csv").read_text().splitlines()[0]
    log = tmp_path / "out" / LOG
    log.write_text(log.read_text().replace('"dose_mg_kg": 5', '"dose_mg_kg": 6'))
    code, out, err = tme("live", "--replay", str(log), "--out", str(tmp_path / "other"))
    assert code == 3 and "not the same bits: 1 of 2" in err


def test_bad_input_ends_with_code_2_and_writes_nothing(tme):
    live_config.write(Path())
    Path("taken").mkdir()
    Path("taken/mine.txt").write_text("mine")
    for words, said in (
        (("small.yaml", "--arm", "traeted"), "did you mean 'treated'"), ((), "expected an experiment"), (("small.yaml", "--replay", "x"), "takes its config"), (("--replay", "nowhere"), "cannot be read"),
        (("small.yaml", "--set", "initial.n_cells=many"), "initial.n_cells"), (("small.yaml", "--out", "taken"), "is not empty"), (("small.yaml", "--out", "small.yaml"), "is a file"), (("none.yaml",), "none.yaml"),
    ):  # fmt: skip
        code, _out, err = tme("live", "--no-browser", *words)
        assert code == 2 and said in err and "Traceback" not in err, (words, err)
    assert sorted(p.name for p in Path().iterdir()) == ["small.yaml", "taken"] and os.listdir("taken") == ["mine.txt"]


def test_a_session_in_python_shows_itself_or_says_what_is_missing(tmp_path, monkeypatch):
    import tme
    from tme.viz.viewer import notebook

    with tme.live(live_config.write(tmp_path), "treated", out=tmp_path / "out", seed=3) as session:
        assert "paused on day -0.25, tick 0" in repr(session) and session.step(ticks=2)["tick"] == 2 and session.live.config.seed == 3
        assert session.numbers()["mechanisms.division.k_div"] > 0
        notebook._widget_class.cache_clear(), notebook._live_class.cache_clear()
        monkeypatch.setitem(sys.modules, "anywidget", None)
        shown = session._repr_mimebundle_()
        assert set(shown) == {"text/plain"} and 'pip install "tme[notebook]"' in shown["text/plain"] and "tick 2" in shown["text/plain"]
        notebook._widget_class.cache_clear(), notebook._live_class.cache_clear()
    assert is_done(tmp_path / "out" / "treated" / "rep-000", verify=True)
    session.end()  # once more does no harm


def test_a_session_in_a_notebook_is_its_widget(tmp_path):
    pytest.importorskip("anywidget", reason="the extra `notebook` is not installed")
    import tme

    with tme.live(live_config.write(tmp_path), out=tmp_path / "out") as session:
        assert "application/vnd.jupyter.widget-view+json" in str(session._repr_mimebundle_())


def test_a_taken_port_is_refused_before_a_run_directory_is_made(tme):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, _out, err = tme("live", str(CONFIGS / "quick.yaml"), "--port", str(taken.getsockname()[1]), "--out", "mine", "--no-browser")
    assert code == 2 and "expected a free port" in err and not Path("mine").exists()
