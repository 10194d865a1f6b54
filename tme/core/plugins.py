"""Laws and readouts of the user's own: a Python file with a tuple `PLUGINS`, run as it was when the config was loaded.

    PLUGINS = (MyLaw, my_readout)     # Mechanism subclasses and functions of the model that return named numbers
    PARAMETERS = ParameterSet(...)    # optional, or a tuple of them: groups that no law of PLUGINS has as its own
    TERMS = (Term(...),)              # optional: what rules may modulate in these laws

A law acts in the plan after ours of the same phase. `Plugin` holds the file's text and its hash, so that every process
of a run executes the same code whatever happens to the file meanwhile.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

from tme.core.mechanism import Mechanism, Phase
from tme.core.parameters import ParameterSet
from tme.core.population import Column
from tme.core.terms import Term

# What may stand in PLUGINS: the list of `Loaded` it goes to, and how it is known. Another sort is another line.
SORTS: dict[str, Callable[[Any], bool]] = {
    "laws": lambda item: isinstance(item, type) and issubclass(item, Mechanism),
    "readouts": inspect.isfunction,
}


class PluginError(ValueError):
    """A plugin cannot be used; the message says why."""

    exit_code = 2


@dataclass(frozen=True)
class Plugin:
    """A plugin's identity: a file with its text, or Python objects handed over (`items`, which must be importable
    in other processes)."""

    name: str
    path: str
    sha256: str
    text: str = field(repr=False, default="")
    items: tuple[Any, ...] = ()

    @property
    def module(self) -> str:
        """The name under which it is loaded."""
        return f"tme_plugin_{self.name}_{self.sha256[:8]}"


@dataclass
class Loaded:
    """What a plugin brings: laws, readouts, parameter groups by name, terms."""

    laws: list[type[Mechanism]] = field(default_factory=list)
    readouts: list[Callable[[Any], Mapping[str, float]]] = field(default_factory=list)
    parameters: dict[str, ParameterSet] = field(default_factory=dict)
    terms: list[Term] = field(default_factory=list)


_LOADED: dict[tuple[str, str], Loaded] = {}


def plugin_of(given: Any) -> Plugin:
    """The identity of a path, a module, a class or a function. PluginError where it cannot be read."""
    if isinstance(given, Plugin):
        return given
    if isinstance(given, (str, os.PathLike)):
        return from_file(Path(given))
    if isinstance(given, ModuleType):
        if getattr(given, "__file__", None):
            plugin = from_file(Path(str(given.__file__)))
            _LOADED.setdefault((plugin.path, plugin.sha256), sorted_out(given.__name__, vars(given)))
            return plugin
        items = tuple(vars(given).get("PLUGINS", ()))
        return Plugin(given.__name__, "", digest_of(items), items=items)
    return Plugin(getattr(given, "__name__", type(given).__name__), "", digest_of((given,)), items=(given,))


def from_file(path: Path) -> Plugin:
    """The plugin of a Python file as it is now."""
    try:
        raw = path.read_bytes()
        text = raw.decode("utf-8")
    except OSError as error:
        raise PluginError(f"{path}: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise PluginError(f"{path}: is not text in UTF-8") from error
    name = "".join(c if c.isalnum() else "_" for c in path.stem)
    return Plugin(name, str(path.resolve()), hashlib.sha256(raw).hexdigest(), text)


def line_of(plugin: Plugin, text: str) -> int:
    """The first line of a plugin's file in which a text stands; 0 if it has no file or the text is made up at run time."""
    return next((k for k, line in enumerate(plugin.text.splitlines(), 1) if text in line), 0)


def digest_of(items: Iterable[Any]) -> str:
    """SHA-256 of the source of objects, or of their compiled code where there is no source (a typed-in session)."""
    total = hashlib.sha256()
    for item in items:
        try:
            total.update(inspect.getsource(item).encode())
        except (OSError, TypeError):
            for thing in (item, *vars(item).values()) if isinstance(item, type) else (item,):
                code = getattr(thing, "__code__", None)
                total.update(code.co_code + repr(code.co_consts).encode() if code else repr(getattr(item, "__qualname__", item)).encode())
    return total.hexdigest()


def load(plugin: Plugin) -> Loaded:
    """What the plugin brings; run once per process. PluginError where it fails."""
    key = (plugin.path, plugin.sha256)
    if key not in _LOADED:
        names = {"PLUGINS": plugin.items} if plugin.items else vars(executed(plugin))
        _LOADED[key] = sorted_out(plugin.path or plugin.name, names)
    return _LOADED[key]


def executed(plugin: Plugin) -> ModuleType:
    """The plugin's file run as a module of its own."""
    module = ModuleType(plugin.module)
    module.__file__ = str(source_file(plugin))
    sys.modules[plugin.module] = module
    try:
        exec(compile(plugin.text, module.__file__, "exec"), vars(module))
    except Exception as error:
        del sys.modules[plugin.module]
        line = getattr(error, "lineno", None) or _line_in(error, module.__file__)
        raise PluginError(f"{plugin.path}{f':{line}' * bool(line)}: {type(error).__name__}: {error}") from error
    return module


def source_file(plugin: Plugin) -> Path:
    """A file with exactly the plugin's text, for tracebacks and compiled code: its own, or a copy if that changed."""
    path = Path(plugin.path)
    try:
        if hashlib.sha256(path.read_bytes()).hexdigest() == plugin.sha256:
            return path
    except OSError:
        pass
    root = Path(os.environ.get("NUMBA_CACHE_DIR") or tempfile.gettempdir()) / "plugins" / plugin.sha256[:16]
    root.mkdir(parents=True, exist_ok=True)
    copy = root / f"{plugin.name}.py"
    temporary = root / f".{plugin.name}.{os.getpid()}"
    temporary.write_bytes(plugin.text.encode())
    temporary.replace(copy)
    return copy


def _line_in(error: BaseException, file: str) -> int | None:
    """The last line of a file that an exception passed through."""
    line, trace = None, error.__traceback__
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == file:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def sorted_out(where: str, names: Mapping[str, Any]) -> Loaded:
    """The contents of PLUGINS by sort, with PARAMETERS and TERMS. PluginError names what does not belong."""
    items = names.get("PLUGINS")
    if not isinstance(items, (tuple, list)) or not items:
        near = get_close_matches("PLUGINS", [n for n in names if n != "PLUGINS"], 1)
        meant = f"; '{near[0]}' is there, did you mean PLUGINS?" if near else ""
        raise PluginError(f"{where}: has no PLUGINS; expected a tuple of laws and readouts, PLUGINS = (MyLaw,){meant}")
    out = Loaded()
    for item in items:
        sort = next((s for s, fits in SORTS.items() if fits(item)), None)
        if sort is None:
            raise PluginError(f"{where}: PLUGINS holds {item!r}; expected Mechanism subclasses and functions")
        getattr(out, sort).append(item)
    for law in out.laws:
        check_law(where, law)
    sets = names.get("PARAMETERS", ())
    sets = (sets,) if isinstance(sets, ParameterSet) else tuple(sets)
    for group in (*sets, *(law.parameters for law in out.laws if law.parameters is not None)):
        if not isinstance(group, ParameterSet):
            raise PluginError(f"{where}: PARAMETERS holds {group!r}; expected a ParameterSet")
        if out.parameters.setdefault(group.group, group) is not group:
            raise PluginError(f"{where}: two parameter sets are called {group.group}")
    out.terms += names.get("TERMS", ())
    if not all(isinstance(term, Term) for term in out.terms):
        raise PluginError(f"{where}: TERMS holds what is no Term")
    return out


def check_law(where: str, law: type[Mechanism]) -> None:
    """A law has a name, a phase, a step of its own, and its parameters under its own name."""
    who = f"{where}: {law.__name__}"
    if not law.name.isidentifier():
        raise PluginError(f"{who} has the name {law.name!r}; expected a word, name = \"my_law\"")
    if not isinstance(law.phase, Phase):
        raise PluginError(f"{who} has the phase {law.phase!r}; expected one of {', '.join(f'Phase.{p.name}' for p in Phase)}")
    for cells, columns in law.cell_columns.items():
        if not isinstance(columns, (tuple, list)) or not all(isinstance(c, Column) for c in columns):
            raise PluginError(f"{who}.cell_columns[{cells!r}] is {columns!r}; expected a tuple of Column, (Column(\"name\", \"f8\", \"unit\"),)")
    if law.step is Mechanism.step:
        raise PluginError(f"{who} has no step(self, model)")
    if law.parameters is not None and law.parameters.group != law.name:
        raise PluginError(f"{who} has the parameters of {law.parameters.group!r}; expected ParameterSet({law.name!r}, ...)")


def joined(plugins: Iterable[Plugin], taken: Iterable[str] = ()) -> Loaded:
    """What several plugins bring together; PluginError where a law or group has a name that is `taken`."""
    out, names = Loaded(), set(taken)
    for plugin in plugins:
        found = load(plugin)
        new = {*(law.name for law in found.laws), *found.parameters}
        if new & names:
            raise PluginError(f"{plugin.path or plugin.name}: the name {min(new & names)!r} is taken; expected another")
        names |= new
        out.laws += found.laws
        out.readouts += found.readouts
        out.parameters |= found.parameters
        out.terms += found.terms
    return out
