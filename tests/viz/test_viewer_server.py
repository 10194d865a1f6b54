"""What the viewer reads of a run directory, what its server answers, and what a report carries of it."""

from __future__ import annotations

import base64
import http.client
import json
import os
import re
import threading
import time
import zlib
from importlib.resources import files

import numpy as np
import pytest
import synthetic

from tme.viz.viewer import frames, pack
from tme.viz.viewer.server import ViewServer
from tme.viz.viewer.source import Source, Unreadable


def wait_for(condition, seconds=30.0):
    """Until something is so; fails after a while."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


HOSTILE = "</script><img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """Two arms x 2 replicates, finished."""
    return synthetic.write_run(tmp_path_factory.mktemp("small"), arms=("control", "combination"), replicates=2, n=48, scale=0.05, days=(0, 1, 4), every_h=12)


@pytest.fixture
def server_of():
    """A function that serves a run directory and returns one that asks it: (status, headers, body)."""
    started = []

    def start(run, **how):
        server = ViewServer(Source(run), **how)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        started.append(server)

        def ask(path, method="GET", host=None, body=None, place=None, **headers):
            line = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=30)
            line.putrequest(method, (server.place if place is None else place) + path, skip_host=True)
            line.putheader("Host", host if host is not None else f"127.0.0.1:{server.server_port}")
            for name, value in {**headers, **({"Content-Length": str(len(body))} if body is not None else {})}.items():
                line.putheader(name.replace("_", "-"), value)
            line.endheaders()
            if body is not None:
                line.send(body)
            answer = line.getresponse()
            found = answer.status, dict(answer.getheaders()), answer.read()
            line.close()
            return found

        return server, ask

    yield start
    for server in started:
        server.shutdown()
        server.server_close()


def test_the_index_names_arms_moments_and_curves(small):
    index = Source(small).index()
    assert index["state"] == "done" and index["sentence"] == ""
    assert [a["key"] for a in index["arms"]] == ["control", "combination"]
    assert [m["hour"] for m in index["arms"][0]["replicates"]["1"]] == [0, 24, 96]
    curve = next(c for c in index["curves"] if c["key"] == "tumour_alive")
    assert set(curve["lines"]) == {"control", "combination"} and len(curve["lines"]["control"]["mean"]) > 5
    json.dumps(index, allow_nan=False)


def test_a_frame_holds_the_cells_of_its_snapshot(small):
    from tme.viz.load import Run

    cells = Run(small).cells("control", 0, 24.0)
    header, found, fields = frames.read(Source(small).frame("control", 0, 24.0))
    assert header["n"] == cells["x"].size and sorted(found["x"]) == sorted(cells["x"])
    assert (found["cell_type"] == "cd8").sum() == (cells["cell_type"] == "cd8").sum()
    assert fields["oxygen"].shape == (1, 48, 48)
    gsh = next(c for c in header["columns"] if c["name"] == "gsh")
    assert gsh["label"] == "glutathione (GSH)" and gsh["unit"] == "µM" and gsh["group"] == "chemical state"


def test_what_a_page_shows_first_is_made_before_it_asks(small, server_of):
    server, ask = server_of(small)
    server.prepare()
    made = server.source._frame.cache_info
    wait_for(lambda: made().currsize == 2)
    misses, index = made().misses, json.loads(ask("/index.json")[2])
    for arm in index["arms"]:
        number = str(index["chosen"][index["arms"][0]["key"]])
        status, _, body = ask(f"/frames/{arm['key']}/{number}/{arm['replicates'][number][-1]['id']}")
        assert status == 200 and len(body) > 1000
    assert made().misses == misses == 2


def test_what_cannot_be_made_before_it_is_asked_for_is_told_when_it_is(small, copy_of, server_of):
    run = copy_of(small)
    (run / "control" / "rep-000" / "cells_96.h5ad").write_bytes(b"torn")
    server, ask = server_of(run)
    server.prepare()
    status, _, body = ask("/frames/control/0/96.0")
    assert status == 404 and b"cells_96.h5ad cannot be read" in body and ask("/index.json")[0] == 200


def test_a_running_run_shows_what_is_there_and_says_so(small, copy_of):
    run = copy_of(small)
    for done in run.glob("combination/*/DONE"):
        done.unlink()
    (run / "combination" / "rep-001" / "cells_96.h5ad").unlink()
    index = Source(run).index()
    assert index["state"] == "running" and "2 of 4 simulations done" in index["sentence"]
    assert [m["hour"] for m in index["arms"][1]["replicates"]["1"]] == [0, 24]
    for path in run.rglob("*"):
        os.utime(path, (1e9, 1e9))
    assert Source(run).index()["state"] == "stopped" and "tme run" in Source(run).index()["sentence"]


@pytest.mark.parametrize("harm", ["config", "snapshot", "fields", "series", "uid"])
def test_a_broken_run_is_told_in_a_sentence_and_the_rest_is_shown(small, copy_of, harm):
    run = copy_of(small)
    place = run / "control" / "rep-000"
    if harm == "config":
        (run / "config.resolved.yaml").write_text("a: [1")
        assert Source(run).index()["state"] == "broken" and "cannot be read" in Source(run).index()["sentence"]
    elif harm == "series":
        for path in run.rglob("series.csv"):
            path.write_bytes(b"\xff\xfe\x00")
        assert Source(run).index()["arms"]
    elif harm == "uid":
        synthetic.write_h5ad(place / "cells_24.h5ad", {"cell_type": np.zeros(2, np.int8), "uid": np.array(["x", "y"], dtype=object)}, np.array([[10.0, 10.0], [30.0, 10.0]]))
        assert frames.read(Source(run).frame("control", 0, 24.0))[0]["n"] == 2
    else:
        (place / ("cells_24.h5ad" if harm == "snapshot" else "fields_24.npz")).write_bytes(b"PK\x03\x04 cut short")
        with pytest.raises(Unreadable, match=r"rep-000/cells_24.h5ad cannot be read"):
            Source(run).frame("control", 0, 24.0)
    assert frames.read(Source(run).frame("control", 0, 96.0))[0]["n"] > 0


def test_an_empty_run_directory_says_that_it_is_empty(tmp_path):
    (tmp_path / "config.resolved.yaml").write_text("name: new\n")
    assert Source(tmp_path).index()["state"] in ("empty", "running") and Source(tmp_path).index()["sentence"]
    os.utime(tmp_path, (1e9, 1e9))
    assert Source(tmp_path).index()["state"] == "empty"


def test_the_server_answers_its_own_address_with_a_strict_policy(small, server_of):
    server, ask = server_of(small)
    for path in ("/", "/viewer.js", "/start.js", "/favicon.ico", "/index.json", "/frames/control/0/24.0", "/descent/control/0"):
        status, headers, body = ask(path)
        assert status == 200 and body, path
        assert headers["Content-Security-Policy"].startswith("default-src 'self'") and headers["X-Content-Type-Options"] == "nosniff"
    assert ask("/index.json", host=f"localhost:{server.server_port}")[0] == 200
    assert server.server_address[0] == "127.0.0.1"


@pytest.mark.parametrize("place", ["", "/", "/guessed", "/" + "x" * 22])
def test_who_does_not_have_the_printed_address_gets_nothing(small, server_of, place):
    """Another user of a shared machine sees the port and not the address."""
    server, ask = server_of(small, control=lambda what: {"ok": True})
    for path in ("/", "/index.json", "/frames/control/0/24.0", "/viewer.js"):
        status, _, body = ask(path, place=place)
        assert status == 404 and server.token.encode() not in body and server.place.encode() not in body
    given = {"Content_Type": "application/json", "X_Tme_Token": server.token}
    assert ask("/control", "POST", body=b"{}", place=place, **given)[0] == 403
    assert ask("/index.json", place=server.place[:-1])[0] == 404 and ask("x/index.json")[0] == 404


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "", "127.0.0.1:1", "127.0.0.1.evil.example"])
def test_another_host_name_gets_nothing(small, server_of, host):
    _, ask = server_of(small)
    assert ask("/index.json", host=host)[0] == 403


@pytest.mark.parametrize("path", [
    "/../config.resolved.yaml", "/frames/../../etc/passwd", "/frames/..%2f..%2fetc/0/24", "/frames/control/0/../../../x", "/frames/%2e%2e/0/24",
    "/frames/control/0/nan", "/frames/control/0/24/../../x", "/frames//0/24", "/descent/..%2f/0", "/config.resolved.yaml", "/control/rep-000/cells_24.h5ad", "/frames/control/-1/24", "/frames/control/%00/24",
])  # fmt: skip
def test_no_path_leaves_the_run_directory(small, server_of, path):
    _, ask = server_of(small)
    status, _, body = ask(path)
    assert status == 404 and len(body) < 200


def test_a_link_that_leads_out_of_the_run_directory_is_not_followed(small, copy_of, tmp_path):
    run = copy_of(small)
    place = run / "control" / "rep-000" / "cells_24.h5ad"
    outside = tmp_path / "outside.h5ad"
    place.rename(outside)
    place.symlink_to(outside)
    with pytest.raises(Unreadable, match="leads out of the run directory"):
        Source(run).frame("control", 0, 24.0)


def test_the_server_takes_no_commands_for_a_run_directory(small, server_of):
    _, ask = server_of(small)
    assert ask("/control", "POST", body=b"{}", Content_Type="application/json")[0] == 403
    assert ask("/index.json", "POST", body=b"{}", Content_Type="application/json")[0] == 403
    assert ask("/index.json", "PUT", body=b"{}")[0] == 501


def test_commands_come_from_the_page_itself_alone(small, server_of):
    asked = []
    server, ask = server_of(small, control=lambda what: asked.append(what) or {"ok": True})
    home, token = f"http://127.0.0.1:{server.server_port}", json.loads(ask("/index.json")[2])["token"]
    given = {"Content_Type": "application/json", "X_Tme_Token": token}
    for how in ({**given, "Content_Type": "text/plain"}, {**given, "Origin": "http://evil.example"}, {**given, "X_Tme_Token": "guessed"}, {"Content_Type": "application/json"}):
        assert ask("/control", "POST", body=b'{"do":"start"}', **how)[0] == 403
    assert ask("/control", "POST", body=b" " * 5000, **given)[0] == 403
    assert asked == []
    assert ask("/control", "POST", body=b'{"do":"start"}', Origin=home, **given)[0] == 200
    assert asked == [{"do": "start"}]


def test_reading_changes_nothing_in_the_run_directory(small, server_of):
    before = {p: p.stat().st_mtime_ns for p in small.rglob("*")}
    _, ask = server_of(small)
    ask("/index.json"), ask("/frames/control/0/24.0")
    assert {p: p.stat().st_mtime_ns for p in small.rglob("*")} == before


def test_the_module_is_small_and_asks_nothing_of_others():
    code = files("tme.viz.viewer").joinpath("viewer.js").read_text(encoding="utf-8")
    assert len(code.encode()) <= 100_000
    assert "innerHTML" not in code and "</script" not in code and "<!--" not in code and "eval(" not in code
    assert set(re.findall(r"https?://[^\s'\"]+", code)) == {"http://www.w3.org/2000/svg"}
    assert not re.search(r"^\s*import\s", code, re.MULTILINE)


def blocks_of(text):
    return {k: base64.b64decode(v) for k, v in re.findall(r'<script type="text/plain" data-tme="([^"]+)">([^<]*)</script>', text)}


def test_a_report_carries_the_frames_that_the_server_gives(small):
    found = blocks_of(pack.block(small).body)
    index = json.loads(zlib.decompress(found["index"]))
    arm = index["arms"][1]
    number, moments = next(iter(arm["replicates"].items()))
    for moment in moments:
        own = frames.read(found[f"frame/{arm['key']}/{number}/{moment['id']}"])
        whole = frames.read(Source(small).frame(arm["key"], int(number), moment["hour"]))
        assert (own[1]["x"] == whole[1]["x"]).all() and (own[1]["cell_type"] == whole[1]["cell_type"]).all()
    assert [m["hour"] for m in moments] == [0, 24, 96] and index["state"] == "done"


def test_details_give_way_where_a_report_would_grow_too_large(small, monkeypatch):
    whole = len(pack.block(small).body)
    monkeypatch.setattr(pack, "MOST_BYTES", 40_000)
    less = pack.block(small)
    assert less is None or len(less.body) < 0.8 * whole
    monkeypatch.setattr(pack, "MOST_BYTES", 100)
    assert pack.block(small) is None


def test_the_policy_of_a_page_allows_the_code_it_carries(four_arms):
    text = (four_arms / "report.html").read_text(encoding="utf-8")
    code = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)[1]
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', text)[1].replace("&#x27;", "'")
    assert pack.policy_hash(code) in policy and "default-src 'none'" in policy and "unsafe-eval" not in policy
    assert policy.split("script-src ")[1].split(";")[0] == pack.policy_hash(code)


def test_names_of_arms_and_types_cannot_leave_their_place_in_a_page(tmp_path):
    arms = ("control", "a'b\"><b>")
    run = synthetic.write_run(tmp_path, arms=("control", "combination"), replicates=1, n=40, scale=0.05, days=(0, 1), every_h=12)
    (run / "combination").rename(run / arms[1])
    for path in (run / "series.csv", run / "config.resolved.yaml", *run.glob("*/*/series.csv")):
        path.write_text(path.read_text().replace("combination", "'" + arms[1].replace("'", "''") + "'" if path.suffix == ".yaml" else arms[1].replace('"', "")).replace("name: four_arms", "name: x<script>alert(1)<"))
    assert pack.block(run) is not None
    body = pack.block(run).body
    assert "<b>" not in body and "<script>" not in body and "alert(1)" not in body
    assert f"frame/{arms[1]}/0/0.0".replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;").replace("'", "&#x27;") in body
