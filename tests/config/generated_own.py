"""Generated entries of a user's own file: every kind that a user may add, in a few whole and a few inherited forms."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from chance import given, maybe, number, per_min, quantity, scale, some
from generated_rules import Rules

from tme import pathways
from tme.library import load_library
from tme.library.kinds import BY_NAME
from tme.library.load import over
from tme.library.particles import TRIGGERS
from tme.model.registry import known_to_rules

TRAITS = ("xct", "gpx4_trait", "fsp1", "acsl4", "tfr1", "nrf2", "mufa")


@dataclass
class Own:
    """Entries of one file as they are written, by kind and name, and the library with them."""

    rng: Random
    dt: float
    walled: str  # axes that are not periodic
    written: dict[str, dict[str, Any]] = field(default_factory=dict)
    library: Any = field(default_factory=load_library)

    def put(self, kind: str, name: str, raw: dict[str, Any]) -> None:
        """Add an entry."""
        self.written.setdefault(kind, {})[name] = raw
        base = self.library.raw[kind][raw["extends"]] if "extends" in raw else {}
        whole = over(base, {k: v for k, v in raw.items() if k not in ("extends", "replace")})
        self.library = self.library.with_entry(kind, name, BY_NAME[kind].entry.model_of(whole).model_validate(whole), whole)

    def add(self, on: set[str]) -> Rules:
        """Some entries of every kind; the rules of the experiment, whose terms are those of all its cell types."""
        rng = self.rng
        chosen = set(some(rng, [k for k in BY_NAME if k != "cohorts"], 5)) if rng.random() < 0.6 else set()
        for kind, make in (("fields", self.field), ("cells", self.cell_type), ("events", self.event), ("receptors", self.axis)):
            for k in range(rng.randint(1, 2) if kind in chosen else 0):
                make(f"own_{kind}{k}")
        on |= {f"{p}_{c}" for c, e in self.library.cells.items() for p, run in e.pathways.items() if run.on}
        rules = Rules(rng, self.library, known_to_rules(library=self.library), on, self.dt, set())
        for kind, agent in (("drugs", self.drug), ("alterations", self.alteration)):
            for k in range(rng.randint(1, 2) if kind in chosen else 0):
                agent(f"own_{kind}{k}", rules)
        for kind, make in (("antibodies", self.antibody), ("nanoparticles", self.particle), ("tumours", self.tumour)):
            for k in range(rng.randint(1, 2) if kind in chosen else 0):
                make(f"own_{kind}{k}")
        if "rules" in chosen:
            shared = rules.shared("tumour", "division.rate", None, grammar=False)
            raw = rules.whole("tumour", "division.rate", shared, grammar=False)
            maybe(rng, raw, 0.5, default=lambda: rng.choice(["on", "off", True, False]))
            self.put("rules", "own_rule", raw)
        return rules

    # ---- fields and cells ---------------------------------------------------------------------------------------------
    def field(self, name: str) -> None:
        """A substance that has a sink."""
        rng = self.rng
        unit = rng.choice(["uM", "a.u.", "ng/mL"])
        out = {"about": "generated", "unit": unit, "mode": rng.choice(["quasi_steady", "backward_euler"]), "clock_min": quantity(rng, self.dt * rng.choice([1, 5, 20]), "min"),
               **given(rng, diffusion=(0.1, 1e5, "um^2/min"), decay=(1e-3, 5, "1/min"))}  # fmt: skip
        maybe(rng, out, 0.3, initial=lambda: quantity(rng, number(rng, 0, 100), unit), coarsen=lambda: rng.choice([1, 2, 4]), optional=lambda: rng.random() < 0.5,
              steady_at_start=lambda: rng.random() < 0.5, uptake=lambda: rng.choice(["none", "linear"]), made=lambda: rng.random() < 0.5,
              tolerance=lambda: quantity(rng, scale(rng, 1e-6, 0.05), "1"))  # fmt: skip
        if rng.random() < 0.4:
            out |= given(rng, vessel_value=(0, 100, unit), vessel_exchange=(0, 1e3, "1/min"))
        if rng.random() < 0.3:
            out["walls"] = {w: quantity(rng, number(rng, 0, 100), unit) for w in some(rng, [f"{a}_{end}" for a in "xyz" if a in self.walled for end in ("min", "max")], 3)}
        self.put("fields", name, out)

    def cell_type(self, name: str) -> None:
        """A guest or a tissue cell, with some of the parts that it may have."""
        rng = self.rng
        guest = rng.random() < 0.7
        fields = list(self.library.fields)
        out: dict[str, Any] = {"about": "generated", "place": "guest" if guest else "tissue", **given(rng, volume_um3=(50, 2400, "um^3"))}
        maybe(rng, out, 0.7, start=lambda: rng.choice([given(rng, per_mm2=(0, 2000, "1/mm^2")), given(rng, share=(0, 0.3, "1"))]))
        maybe(rng, out, 0.2, priority=lambda: rng.randrange(100))
        if guest:
            maybe(rng, out, 0.5, motion=lambda: self.motion(fields), entry=lambda: self.entry(fields), life=lambda: self.life(fields), presents=lambda: rng.random() < 0.5,
                  polarises=lambda: given(rng, arrival=(0, 1, "1")), kills=lambda: {"recognises": rng.choice(["antigen", "missing_self"]), **given(
                      rng, attach=(0, 1, "1/min"), floor=(0, 1, "1"), hold_min=(1, 300, "min"), hit=(0, 0.5, "1/min"))}, takes_up_particles=lambda: rng.random() < 0.5)  # fmt: skip
            if "kills" in out:
                maybe(rng, out, 0.5, division=lambda: given(rng, rate=(0, 0.05, "1/min"), at_most=(0, 5, "1")))
        else:
            out["lies"] = rng.choice(["among", "outside"])
            maybe(rng, out, 0.5, dies=lambda: {k: {"parameter": f"death.{p}"} for k, p in (("necrosis", "k_nec"), ("below", "o2_necrosis"), ("fully_below", "o2_full"))},
                  yields=lambda: rng.random() < 0.5)  # fmt: skip
        maybe(rng, out, 0.3, phagocytoses=lambda: given(rng, rate=(0, 0.02, "1/min"), **({"living": (0, 1e-3, "1/min")} if "polarises" in out else {})))
        maybe(rng, out, 0.6, secretes=lambda: [self.secretion(f, out) for f in some(rng, fields, 2)], takes_up=lambda: self.uptakes(some(rng, fields, 2)),
              pathways=lambda: self.runs(guest))  # fmt: skip
        self.put("cells", name, out)

    def motion(self, fields: list[str]) -> dict[str, Any]:
        """A walk."""
        rng = self.rng
        out = given(rng, speed=(0, 15, "um/min"))
        maybe(rng, out, 0.4, clock_min=lambda: quantity(rng, self.dt * rng.choice([1, 2, 5]), "min"), persistence=lambda: quantity(rng, number(rng, 0, 1), "1"),
              modes=lambda: given(rng, slow=(0, 5, "um/min"), fast=(5, 15, "um/min"), to_slow=(0, 1, "1/min"), to_fast=(0, 1, "1/min")))  # fmt: skip
        if rng.random() < 0.5:
            out |= {"follows": rng.choice(fields), **given(rng, bias=(0, 1, "1"))}
        return out

    def entry(self, fields: list[str]) -> dict[str, Any]:
        """An entry through vessels."""
        rng = self.rng
        signal = rng.choice(fields)
        out = {"signal": signal, **given(rng, half=(0.01, 100, self.library.fields[signal].unit)), **rng.choice([given(rng, rate=(0, 1, "1/min")), given(rng, holds=(0, 3, "1"))])}
        maybe(rng, out, 0.4, basal=lambda: quantity(rng, number(rng, 0, 1), "1"), memory_d=lambda: quantity(rng, number(rng, 0, 5), "d"), priority=lambda: rng.randrange(100),
              times=lambda: some(rng, ["node_output", "not_depleted"], 2))  # fmt: skip
        return out

    def life(self, fields: list[str]) -> dict[str, Any]:
        """How long they live."""
        rng = self.rng
        out = given(rng, mean_d=(0.05, 30, "d"))
        if rng.random() < 0.4:
            where = rng.choice(fields)
            out |= {"where": where, **given(rng, sooner=(1, 20, "1"), below=(0, 50, self.library.fields[where].unit))}
        maybe(rng, out, 0.2, per_tumour_cell=lambda: quantity(rng, number(rng, 0, 1), "1"), depleted_within_d=lambda: quantity(rng, number(rng, 0.1, 5), "d"))
        return out

    def secretion(self, name: str, cell: dict[str, Any]) -> dict[str, Any]:
        """Into one field."""
        rng = self.rng
        words = [None, *(["m1", "m2"] if "polarises" in cell else []), *(["engaged"] if "kills" in cell else []), *(["corpse"] if cell["place"] == "tissue" else [])]
        out = {"field": name, **(given(rng, molecules_s=(0, 100, "1/s"), weight_kda=(1, 150, "kDa")) if rng.random() < 0.3 and self.library.fields[name].unit == "ng/mL" else given(rng, rate=(0, 1, per_min(self.library.fields[name].unit))))}
        word = rng.choice(words)
        return out if word is None else {**out, "times": word}

    def uptakes(self, names: list[str]) -> list[dict[str, Any]]:
        """From some fields; all that take one up share its half."""
        rng, out = self.rng, []
        for name in names:
            f, most = self.library.fields[name], rng.random() < 0.5
            halves = {u.half_text for e in self.library.cells.values() for u in e.takes_up if u.field == name and u.saturates}
            item = {"field": name, **(given(rng, most=(0, 1, per_min(f.unit))) if most and not halves else given(rng, rate=(0, 1, "1/min")))}
            if f.uptake == "saturable" and "rate" in item:
                item["linear"] = True
            elif f.uptake != "saturable" and "most" in item:
                item |= given(rng, half=(0.01, 100, f.unit))
            out.append(item)
        return out

    def runs(self, guest: bool) -> dict[str, Any]:
        """A pathway of ours, with some numbers of its own."""
        rng, out = self.rng, {}
        for name in some(rng, pathways.PATHWAYS, 2):
            run: dict[str, Any] = {"on": rng.random() < 0.5}
            pathway = pathways.PATHWAYS[name]
            traits = some(rng, [t for t in pathway.traits if t.unit == "1"], 3)
            maybe(rng, run, 0.7, preset=lambda traits=traits: {t.name: quantity(rng, number(rng, max(t.low, 0.05), min(t.high, 5)), t.unit) for t in traits})
            maybe(rng, run, 0.0 if guest or not pathway.emits else 0.4, emits=lambda: True)
            out[name] = run
        return out

    # ---- checkpoints and events ----------------------------------------------------------------------------------------
    def axis(self, name: str) -> None:
        """A receptor on killers or in the node, with one or two ligands."""
        rng = self.rng
        guests = [n for n, e in self.library.cells.items() if e.place == "guest"]
        place = rng.choice(["contact", "contact", "node"])
        killers = [n for n, e in self.library.cells.items() if e.kills is not None] if place == "contact" else ["cd8"]

        def level(field_ok: bool) -> dict[str, Any]:
            out = given(rng, level=(0, 1, "1"))
            if field_ok and rng.random() < 0.3:
                f = rng.choice(list(self.library.fields))
                out |= {"induced_by": f"field.{f}", **given(rng, to=(0, 1, "1"), half=(0.01, 10, self.library.fields[f].unit), tau_min=(1, 600, "min"))}
            return out

        ligands = {}
        for k in range(rng.randint(1, 2)):
            on = some(rng, ["tumour", *guests], 3) if place == "contact" else ["dendritic"]
            ligands[f"{name}_ligand{k}"] = {"on": {c: level(place == "contact") for c in on}}
            maybe(rng, ligands[f"{name}_ligand{k}"], 0.3, background=lambda: quantity(rng, number(rng, 0, 1), "1"))
        works = some(rng, ["killing", "exhaustion"], 2) or ["killing"] if place == "contact" else ["priming"]
        out = {"about": "generated", "place": place, "receptor": {"name": f"{name}_receptor", "on": {c: level(False) for c in some(rng, killers, 2) or killers[:1]}}, "ligands": ligands,
               "effects": {w: given(rng, to=(0, 2, "1"), **rng.choice([{}, {"half": (0, 2, "1")}, {"without": (0, 2, "1")}])) for w in works}}  # fmt: skip
        maybe(rng, out, 0.3, on=lambda: rng.random() < 0.5, host=lambda: rng.random() < 0.5)
        self.put("receptors", name, out)

    def event(self, name: str) -> None:
        """A second event of one of our kinds."""
        rng, base = self.rng, self.rng.choice(list(load_library().events))
        out: dict[str, Any] = {"extends": base, "about": "generated"}
        if base == "radiation":
            out |= given(rng, oer_max=(1, 4, "1"))
            out["cells"] = {c: given(rng, alpha_per_gy=(0, 1, "1/Gy"), beta_per_gy2=(0, 0.1, "1/Gy^2")) for c in some(rng, self.library.cells, 3)}
        elif base in ("light", "sound", "heat"):
            out |= {"sensitiser": rng.choice(list(self.library.drugs)), **given(rng, steepness=(0.5, 8, "1"))}
        elif base == "kill_share":
            out["cause"] = rng.choice(["apoptosis", "necrosis", "immune", "ferroptosis"])
        elif base == "vaccination":
            out |= {"quality": {"ferroptosis": quantity(rng, number(rng, 0, 1), "1")}, **given(rng, gain=(0, 10, "1"), memory=(0, 5, "1"), delay_d=(0.1, 10, "d"))}
        self.put("events", name, out)

    # ---- agents --------------------------------------------------------------------------------------------------------
    def drug(self, name: str, rules: Rules) -> None:
        """One that extends ours, or a new molecule, with hits on any terms."""
        rng = self.rng
        cells = rng.choice([c for c in ("tumour", "tumour", *self.library.cells) if any(c == place for place, _ in rules.places())])
        if rng.random() < 0.5:
            out: dict[str, Any] = {"extends": rng.choice(["rsl3", "erastin", "cisplatin"]), **given(rng, plasma_half_life_min=(5, 600, "min"), cell_loss=(0, 0.3, "1/min"))}
            maybe(rng, out, 0.5, hits=lambda: [rules.hit(cells, "uM")])
        else:
            out = {"extends": rng.choice(["small_molecule", "in_cell"]), **given(rng, mw_g_mol=(100, 2000, "g/mol")), "stage": "experimental", "source": "chosen: generated"}
            out["hits"] = [rules.hit("tumour" if k else cells, "uM") for k in range(rng.randint(1, 2))]
            maybe(rng, out, 0.3, family=lambda: rng.choice(["platinum", "own_family"]), effluxed=lambda: True, solubility_uM=lambda: quantity(rng, scale(rng, 1, 500), "uM"))
        self.put("drugs", name, {"about": "generated", **out})

    def alteration(self, name: str, rules: Rules) -> None:
        """Traits, effects, what drugs do less."""
        rng = self.rng
        out: dict[str, Any] = {"about": "generated", "source": "chosen: generated", "effects": [rules.hit("tumour", None)]}
        maybe(rng, out, 0.4, traits=lambda: {t: quantity(rng, number(rng, 1 if t == "nrf2" else 0.5, 2), "1") for t in some(rng, TRAITS, 2)},
              feels=lambda: {d: quantity(rng, number(rng, 0, 10), "1") for d in some(rng, self.library.drugs, 2)}, evidence=lambda: rng.choice(["supported", "conflicting"]))  # fmt: skip
        self.put("alterations", name, out)

    def antibody(self, name: str) -> None:
        """Against a receptor, a ligand or a soluble factor."""
        rng, axes = self.rng, self.library.receptors
        if rng.random() < 0.3:
            out = {"extends": "anti_ifng", "target": f"field:{rng.choice(list(self.library.fields))}"}
        else:
            axis = axes[rng.choice(list(axes))]
            out = {"extends": rng.choice(["anti_lag3", "anti_pd1"]), "target": rng.choice(axis.names()), **given(rng, kd_nM=(0.05, 10, "nM"))}
            if axis.place == "contact" and out["target"] in axis.ligands and rng.random() < 0.4:
                out["sink"] = given(rng, receptors=(0, 1e5, "1"), internalised_per_min=(0, 0.02, "1/min"))
            if rng.random() < 0.3:
                out |= {"depletes": rng.choice([n for n, e in self.library.cells.items() if e.place == "guest"]), **given(rng, depletion=(0, 1, "1"))}
        self.put("antibodies", name, {"about": "generated", **out})

    def particle(self, name: str) -> None:
        """A platform with triggers of its own, in one stage or two."""
        rng, axes = self.rng, self.library.receptors
        staged = rng.random() < 0.3
        release = self.stage()
        if staged:
            release["opens"] = self.stage()
        out = {"extends": "peg_pdpa_rsl3", "about": "generated", "id": f"N{rng.randint(500, 999)}", "release": {"k_ph": quantity(rng, 0.0, "1/min"), **release}}
        maybe(rng, out, 0.3, payloads=lambda: [{"drug": d, **given(rng, loading=(0.1, 2, "1"))} for d in (some(rng, self.library.drugs, 2) or ["rsl3"]) if d in self.library.drugs],
              ligand=lambda: {"binds": "something", **given(rng, fold=(1, 5, "1"))}, carried_by=lambda: rng.choice([n for n, e in self.library.cells.items() if e.place == "guest"]),
              coat=lambda: {"target": rng.choice([n for a in axes.values() for n in a.names()]), **given(rng, kd_uM=(0.01, 10, "uM"))},
              releases_outside=lambda: rng.random() < 0.5, normal_leak=lambda: quantity(rng, number(rng, 0, 1), "1"))  # fmt: skip
        if staged:
            out["releases_outside"] = False
        self.put("nanoparticles", name, out)

    def stage(self) -> dict[str, Any]:
        """Triggers and how they combine."""
        rng = self.rng
        out: dict[str, Any] = given(rng, **{f"k_{t}": (0, 0.1, "1/min") for t in some(rng, TRIGGERS, 3)})
        maybe(rng, out, 0.5, combine=lambda: rng.choice(["any", "all"]), k0=lambda: quantity(rng, number(rng, 0, 0.01), "1/min"))
        return out

    def tumour(self, name: str) -> None:
        """A type that differs from ours in traits, a clone, a number of a law."""
        rng = self.rng
        out: dict[str, Any] = {"extends": "b16_like", "about": "generated"}
        maybe(rng, out, 0.6, traits=lambda: {t: quantity(rng, number(rng, 1 if t == "nrf2" else 0.3, 3), "1") for t in some(rng, TRAITS, 3)},
              clones=lambda: {"hidden": {"share": quantity(rng, number(rng, 0, 0.2), "1"), "traits": {"antigenicity": quantity(rng, number(rng, 0, 1), "1")}}},
              alterations=lambda: some(rng, [n for n, e in self.library.alterations.items() if not e.rules], 2))  # fmt: skip
        self.put("tumours", name, out)
