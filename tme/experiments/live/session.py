"""A live model in a thread of its own: it runs, waits, and takes commands between two ticks.

    session = Session(live)                                   # waits at its first moment
    session.step(hours=6)
    session.give("drugs", name="rsl3", dose_mg_kg=10)
    session.set("mechanisms.division.k_div", 0.0004)
    session.run(); session.pause(); session.end()

The same commands come from a page as `ask({"do": "step", "hours": 6})`. Each is answered with the tick after which it acted.
"""

from __future__ import annotations

import queue
import threading
import time
import traceback
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from tme.experiments.live.model import LiveModel
from tme.experiments.live.numbers import catalogue

IDLE_S = 0.1  # between looks at the clock while the model waits
TOLD = 40  # lines of the log that a page gets
DO = ("start", "pause", "step", "speed", "give", "set", "catalogue", "end")


class Session:
    """A model that runs beside the page or the notebook that commands it."""

    shown: Callable[[Any], Any] | None = None  # what shows a session in a notebook, a widget; set by `tme.live`

    def __init__(self, live: LiveModel) -> None:
        self.live = live
        self.running = False
        self.until: int | None = None  # tick at which it waits again
        self.hours_per_s: float | None = None
        self._due = 0.0  # when the next tick may begin, where the speed is limited
        self._asked: queue.Queue[tuple[dict[str, Any], Future[dict[str, Any]]]] = queue.Queue()
        self._waiting: list[tuple[int, Future[dict[str, Any]]]] = []  # who waits for a tick
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._loop, name="tme live", daemon=True)
        self._thread.start()

    # ---- from outside -------------------------------------------------------------------------------
    def ask(self, what: dict[str, Any]) -> dict[str, Any]:
        """Do a command between two ticks and say at which tick; ValueError says what is wrong with it."""
        if what.get("do") not in DO:
            raise ValueError(f"do is {what.get('do')!r}; expected one of {', '.join(DO)}")
        if not self._thread.is_alive():
            raise ValueError("this session has ended; its run directory is complete")
        answer: Future[dict[str, Any]] = Future()
        self._asked.put((what, answer))
        while not answer.done():
            if not self._thread.is_alive():
                self._refuse_all()
            try:
                return answer.result(timeout=0.5)
            except TimeoutError:
                continue
        return answer.result()

    def run(self, hours_per_s: float | None = None) -> dict[str, Any]:
        """Let it run, no faster than so many simulated hours a second (None: as fast as it can)."""
        self.ask({"do": "speed", "hours_per_s": hours_per_s})
        return self.ask({"do": "start"})

    def pause(self) -> dict[str, Any]:
        """Let it wait after the tick under way."""
        return self.ask({"do": "pause"})

    def step(self, hours: float | None = None, ticks: int | None = None) -> dict[str, Any]:
        """Do so many hours or ticks (default one hour), then wait; returns when they are done."""
        length = {"ticks": ticks} if ticks is not None else {"hours": 1.0 if hours is None else hours}
        return self.ask({"do": "step", "wait": True, **length})

    def give(self, kind: str, **item: Any) -> dict[str, Any]:
        """Give an agent or an event now, with the keys that an arm has for it but the day."""
        return self.ask({"do": "give", "kind": kind, "item": item})

    def set(self, key: str, value: float) -> dict[str, Any]:
        """Give a number of a law another value from the next tick on."""
        return self.ask({"do": "set", "key": key, "value": value})

    @property
    def folder(self) -> Path:
        """The run directory."""
        return self.live.folder

    def numbers(self) -> dict[str, float]:
        """Numbers that may be changed, with what they are now, by their key."""
        return {n["key"]: n["value"] for n in self.ask({"do": "catalogue"})["numbers"]}

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *exception: Any) -> None:
        self.end()

    def __repr__(self) -> str:
        about = self.about()
        return f"<live run {about['folder']}: {about['state']} on day {about['hour'] / 24:.2f}, tick {about['tick']}>"

    def _repr_mimebundle_(self, **asked: Any) -> Any:
        """In a notebook: the page as a widget, and without what draws it a line that says what is missing."""
        shown = type(self).shown
        if shown is None:
            return {"text/plain": repr(self)}
        try:
            return shown(self)._repr_mimebundle_(**asked)
        except ImportError as missing:
            return {"text/plain": f"{self!r}\n{missing}"}

    def end(self) -> None:
        """End the session and complete the run directory."""
        self._closing.set()
        self._thread.join()

    def about(self) -> dict[str, Any]:
        """Where it is, for a page: state, tick, hour, the last interventions, a sentence."""
        live = self.live
        state = "failed" if live.fault else "ended" if live.ended else "running" if self.running else "paused"
        log = self.interventions
        return {"state": state, "tick": live.tick, "hour": round(24.0 * live.day, 6) + 0.0, "end_day": float(live.config.horizon_day), "fault": live.fault,
                "hours_per_s": self.hours_per_s, "folder": str(live.folder), "interventions": len(log),
                "log": [{k: v for k, v in line.items() if k not in ("time", "state")} for line in log[-TOLD:]]}  # fmt: skip

    def index(self) -> dict[str, Any]:
        """What the index of the page has of it: a run that waits is not one that was stopped."""
        about = self.about()
        return {"live": about, **({"state": "running", "sentence": ""} if about["state"] in ("running", "paused") else {})}

    @property
    def interventions(self) -> list[dict[str, Any]]:
        """Lines of the log that changed something."""
        return [line for line in self.live.log.lines if line["event"] in ("give", "set")]

    # ---- the thread ---------------------------------------------------------------------------------
    def _loop(self) -> None:
        try:
            while not self._closing.is_set():
                self._answer()
                if not self.running:
                    continue
                if self.live.goes_on and not self._early():
                    self._tick()
                if not self.live.goes_on:
                    self.running = False
                    self.live.end()
                self._arrive()
        except Exception as error:  # this thread's last word: the page and the command tell it
            self.live.fault = self.live.fault or f"{type(error).__name__}: {error}"
        finally:
            self.running = False
            self._end()
            self._refuse_all()

    def _end(self) -> None:
        try:
            self.live.end()
        except Exception as error:  # the disk is full, say: the page and the command tell it
            self.live.fault = self.live.fault or f"the run directory could not be completed ({type(error).__name__}: {error})"

    def _tick(self) -> None:
        try:
            self.live.step()
        except Exception as error:  # a law that breaks ends the session, not the run directory
            self.live.fault = f"{type(error).__name__}: {error}"
            self.live.trace = traceback.format_exc()

    def _early(self) -> bool:
        """Whether the speed asked for makes the model wait; a short sleep if so."""
        if self.hours_per_s is None:
            return False
        now = time.monotonic()
        if now < self._due:
            time.sleep(min(self._due - now, IDLE_S))
            return True
        self._due = max(self._due, now - 0.5) + self.live.model.dt_min / 60.0 / self.hours_per_s
        return False

    def _arrive(self) -> None:
        """Who waits for a tick is answered when it is there; the model waits then."""
        stopped = not self.running
        if self.until is not None and (self.live.tick >= self.until or stopped):
            self.running, self.until = False, None
            if not self.live.ended:
                self.live.show()
        for tick, answer in [w for w in self._waiting if stopped or not self.running or self.live.tick >= w[0]]:
            self._waiting.remove((tick, answer))
            answer.set_result(self._here())

    def _answer(self) -> None:
        """All commands that are waiting, in order; where the model waits, wait for one."""
        while True:
            try:
                what, answer = self._asked.get(block=not self.running, timeout=IDLE_S)
            except queue.Empty:
                return
            try:
                found = self._do(what, answer)
            except ValueError as fault:
                answer.set_exception(ValueError(str(fault)))
            except Exception as fault:  # the one who asked is told, and the model goes on
                answer.set_exception(ValueError(f"this could not be done ({type(fault).__name__}: {fault})"))
            else:
                if found is not None:
                    answer.set_result(found)

    def _do(self, what: dict[str, Any], answer: Future[dict[str, Any]]) -> dict[str, Any] | None:
        commands: dict[str, Callable[[dict[str, Any], Future[dict[str, Any]]], dict[str, Any] | None]] = {
            "start": self._do_start, "pause": self._do_pause, "step": self._do_step, "speed": self._do_speed,
            "give": lambda w, _: self._told(self.live.give(w.get("kind"), w.get("item"))),
            "set": lambda w, _: self._told(self.live.change(w.get("key"), w.get("value"))),
            "catalogue": lambda w, _: catalogue(self.live.config, self.live.model),
            "end": self._do_end,
        }  # fmt: skip
        return commands[what["do"]](what, answer)

    def _here(self) -> dict[str, Any]:
        return {"ok": True, "tick": self.live.tick, "day": self.live.day}

    def _told(self, line: dict[str, Any]) -> dict[str, Any]:
        if not self.running:
            self.live.show()
        return {**self._here(), "line": {k: v for k, v in line.items() if k != "time"}}

    def _check_open(self) -> None:
        if not self.live.goes_on:
            raise ValueError(self.live.fault or "the run is at its end; start another with tme live")

    def _do_start(self, what: dict[str, Any], _: Any) -> dict[str, Any]:
        self._check_open()
        self.running, self.until = True, None
        return self._here()

    def _do_pause(self, what: dict[str, Any], _: Any) -> dict[str, Any]:
        was, self.running, self.until = self.running, False, None
        self._arrive()
        if was and not self.live.ended:
            self.live.show()
        return self._here()

    def _do_step(self, what: dict[str, Any], answer: Future[dict[str, Any]]) -> dict[str, Any] | None:
        self._check_open()
        ticks = _ticks(what, self.live.model.dt_min)
        self.running, self.until = True, (until := self.live.tick + ticks)
        if what.get("wait") is True:
            self._waiting.append((until, answer))
            return None
        return {**self._here(), "until": until}

    def _do_speed(self, what: dict[str, Any], _: Any) -> dict[str, Any]:
        speed = what.get("hours_per_s")
        self.hours_per_s, self._due = None if speed is None else _positive("hours_per_s", speed), 0.0
        return self._here()

    def _do_end(self, what: dict[str, Any], _: Any) -> dict[str, Any]:
        self.running = False
        self.live.end()
        self._arrive()
        return self._here()

    def _refuse_all(self) -> None:
        """Nobody waits for an answer that will not come."""
        for _tick, answer in self._waiting:
            answer.set_result(self._here())
        self._waiting = []
        while True:
            try:
                _what, answer = self._asked.get_nowait()
            except queue.Empty:
                return
            answer.set_exception(ValueError("this session has ended; its run directory is complete"))


def _positive(key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e9:
        raise ValueError(f"{key}: is {value!r}; expected a number above 0")
    return float(value)


def _ticks(what: dict[str, Any], dt_min: float) -> int:
    """How many ticks a step is: `ticks`, or `hours` (default 1)."""
    if "ticks" in what:
        ticks = what["ticks"]
        if isinstance(ticks, bool) or not isinstance(ticks, int) or not 1 <= ticks <= 10_000_000:
            raise ValueError(f"ticks: is {ticks!r}; expected a whole number from 1 on")
        return ticks
    return max(1, round(_positive("hours", what.get("hours", 1.0)) * 60.0 / dt_min))
