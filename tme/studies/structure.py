"""Structural switches: where sources disagree or the law itself is a choice, each option is as good as drawn.

A switch is a name with options, an option the dotted keys that it replaces. A study's `switches:` take the place of these.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tme.config import ConfigError, Fault
from tme.studies.ranges import fault_at

Switches = dict[str, dict[str, dict[str, Any]]]

DEFAULT: Switches = {
    "dendritic cells and early ferroptotic cells": {
        "mature (Efimova)": {"rules.M71.efimova": "on"},
        "held back (Wiernicki)": {"rules.M71.efimova": "off", "rules.M72.wiernicki": "on", "rules.M72.wiernicki_antigen": "on", "rules.M72.wiernicki_presentation": "on"},
        "neither": {"rules.M71.efimova": "off"},
    },
    "PD-L1 that counts": {"tumour and host cells": {}, "tumour cells": {"mechanisms.host_ligands.weight": 0.0}, "host cells": {"receptors.pd1.ligands.pdl1.on.tumour": None}},
    "IFN-gamma arrests division": {"yes": {"rules.M69.arrest": "on"}, "no": {"rules.M69.arrest": "off"}},
    "holes left by dead cells": {"close": {"mechanisms.closing.on": True}, "stay": {"mechanisms.closing.on": False}},
    "hypoxia and ferroptosis": {"no rule": {}, "HIF-1 protects": {"rules.M53.hif1": "on"}, "HIF-2 sensitises": {"rules.M53.hif2": "on"}},
}
CUT = "SLC7A11 route"
CUTS: dict[str, dict[str, Any]] = {CUT: {"mechanisms.ferroptosis.f_x": 0.0}}  # IFN-gamma does not lower cystine import


def switches_of(config: Any) -> Switches:
    """The study's switches, else those above that fit the config; ConfigError where an option of the study's does not."""
    asked = config.study.switches if config.study is not None else {}
    if not asked:
        return {name: options for name, options in DEFAULT.items() if not any(unfit(config, v) for v in options.values())}
    faults = [_at(config, f"study.switches.{name}.{option}", e) for name, options in asked.items() for option, v in options.items() if (e := unfit(config, v))]
    if faults:
        raise ConfigError(faults)
    return {name: {option: dict(v) for option, v in options.items()} for name, options in asked.items()}


def cuts_of(config: Any) -> dict[str, dict[str, Any]]:
    """The study's cuts, else that of the SLC7A11 route where it fits."""
    asked = config.study.cuts if config.study is not None else {}
    if not asked:
        return {name: values for name, values in CUTS.items() if not unfit(config, values)}
    faults = [_at(config, f"study.cuts.{name}", e) for name, values in asked.items() if (e := unfit(config, values))]
    if faults:
        raise ConfigError(faults)
    return {name: dict(values) for name, values in asked.items()}


def unfit(config: Any, values: Mapping[str, Any]) -> Fault | None:
    """What the config says against some keys replaced; None if they fit."""
    from tme.model.registry import known_to_rules, terms_on
    from tme.rules import resolve

    try:
        changed = config.with_values(dict(values)) if values else config
        faults = resolve.faults_of(changed, known_to_rules(changed)._replace(terms=terms_on(changed)))
    except ConfigError as error:
        return error.faults[0]
    return faults[0] if faults else None


def _at(config: Any, key: str, found: Fault) -> Fault:
    return fault_at(config, key, f"makes {found.key} wrong: {found.problem}", found.expected, found.meant)
