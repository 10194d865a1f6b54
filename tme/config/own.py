"""Files that a config names: paths made absolute, plugins loaded where that is allowed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from tme.config.access import Context
from tme.config.errors import ConfigError, Fault, tidy
from tme.config.source import Node, assign
from tme.core.plugins import Plugin, PluginError, joined, plugin_of
from tme.core.plugins import load as load_plugin

PATHS = (("initial", "file"), ("initial", "base", "file"), ("library",), ("plugins",))


def with_paths(tree: Node) -> Node:
    """Files that a config names made absolute, relative to the file that names them."""
    for path in PATHS:
        node = tree.find(path)
        given = tree.value.get(path[0])
        for key in path[1:]:
            given = given.value.get(key) if given is not None and isinstance(given.value, dict) else None
        if given is None:
            continue
        items = [absolute(n) for n in node.value] if isinstance(node.value, list) else absolute(node)
        value = Node(items, node.file, node.line) if isinstance(items, list) else items
        tree = assign(tree, ".".join(path), value, [])
    return tree


def absolute(node: Node) -> Node:
    """A path relative to the file it stands in (or to the working folder, from the command line) made absolute."""
    if not isinstance(node.value, str) or Path(node.value).expanduser().is_absolute():
        return node
    folder = Path.cwd() if node.line == 0 else Path(node.file).parent
    return Node(str((folder / Path(node.value).expanduser()).resolve()), node.file, node.line)


def plugins_of(tree: Node, allowed: bool, given: list[Plugin], faults: list[Fault]) -> list[Plugin]:
    """The plugins that a file names. ConfigError where they are not allowed to run, or cannot be loaded.

    A plugin that was `given` by hand may run.
    """
    node = with_paths(tree).value.get("plugins")
    found: list[Plugin] = []
    for k, item in enumerate(node.value if node is not None and isinstance(node.value, list) else ()):
        if not isinstance(item.value, str):
            continue  # the schema's to report
        if not allowed and item.value not in {p.path for p in given}:
            raise ConfigError(tidy([*faults, Fault(item.file, item.line, "plugins", f"{Path(item.value).name} is code, which would run with your rights",
                                                   "--allow-plugins (in Python allow_plugins=True), or no plugins")]))  # fmt: skip
        try:
            found.append(plugin_of(item.value))
            load_plugin(found[-1])
        except PluginError as error:
            raise ConfigError(tidy([*faults, Fault(item.file, item.line, f"plugins.{k}", str(error))])) from error
    return found


def with_plugins(context: Context, given: Iterable[Any]) -> Context:
    """The context with plugins more: their parameters under `mechanisms:`, their laws among its switches."""
    plugins = (*context.plugins, *map(plugin_of, given))
    if len(plugins) == len(context.plugins):
        return context
    known = {*context.registry, *context.clocks}
    before = joined(context.plugins)
    new = joined(plugins, known - {*before.parameters, *(law.name for law in before.laws)})
    registry = {**context.registry, **{g: dict(s.parameters) for g, s in new.parameters.items()}}
    clocks = {**context.clocks, **{law.name: law.clock_min for law in new.laws}}
    return replace(context, registry=registry, clocks=clocks, plugins=plugins)
