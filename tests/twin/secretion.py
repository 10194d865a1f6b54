"""Phase 8: what cells add to the fields and take from them, reckoned anew before each solve of a field."""

from twin.rules import added, factor
from twin.therapy import free_share, release_outside


def secrete(model):
    """Sources and losses of every field solved next tick, reckoned anew from the cells as they are now."""
    for name, field in model.fields.items():
        if model.due(name) and name not in model.released:
            field.source[:] = 0.0
    for antibody in model.therapy.antibodies:
        if antibody.entry.neutralises and model.due(antibody.entry.neutralises):
            model.fields[antibody.entry.neutralises].loss[:] = 0.0
    if any(model.due(n) for n in ("oxygen", "ifng", "cystine")):
        take_up(model)
    emit(model)
    drug_terms(model)
    particle_terms(model)
    for antibody in model.therapy.antibodies:
        if antibody.entry.neutralises and model.due(antibody.entry.neutralises):
            loss = antibody.entry.k_on_per_nM_min * model.fields[antibody.name].c
            model.fields[antibody.entry.neutralises].loss += loss
            model.events["factor neutralised"] += int(loss.max() > 0.0)
    take_in(model)


def take_in(model):
    """Living cells take in antibody that is bound to a ligand on them, k_int R x c/(Kd (1 + rivals) + c); 0.6022 molecules are 1 nM in 1 um^3."""
    marks = model.checkpoints
    for antibody in model.therapy.antibodies:
        e, field = antibody.entry, model.fields[antibody.name]
        if e.sink is None or not model.due(antibody.name):
            continue
        most = e.sink.receptors * e.sink.internalised_per_min / (0.6022 * model.lattice.voxel_um3)
        field.vmax[:] = 0.0
        for axis, name, ligand in marks.ligands():
            if name == e.target:
                for kind, x in ligand.on.items():
                    for cell in model.of(kind) if kind == "tumour" or axis.host else ():
                        if kind != "tumour" or cell.alive:
                            level = getattr(cell, x.column or f"ligand_{name}") if x.column or x.induced_by else x.level
                            field.vmax[cell.voxel] += most * level
        rivals = sum(model.fields[a.name].c / kd for a, kd in marks.binders(e.target) if a is not antibody)
        field.vmax *= (1.0 + field.c / e.kd_nM) / (1.0 + field.c / e.kd_nM + rivals)


def take_up(model):
    """Living tumour cells take all three; normal tissue a share of oxygen and IFN-gamma; corpses none."""
    p, chem = model.p.uptake, model.p.ferroptosis
    oxygen, ifng, cystine = (model.fields[n] for n in ("oxygen", "ifng", "cystine"))
    oxygen.vmax[:] = p.oxygen_vmax * p.normal_oxygen
    # k c/(1 + c/half) of tissue packed with cells
    receptors = p.ifng_uptake * p.ifng_half
    ifng.vmax[:] = receptors * p.normal_ifng
    cystine.vmax[:] = 0.0
    for cell in model.of("tumour"):
        v = cell.voxel
        oxygen.vmax[v] = p.oxygen_vmax * model.per_cell if cell.alive else 0.0
        ifng.vmax[v] = receptors * model.per_cell if cell.alive else 0.0
        if cell.alive:
            transporter = (
                cell.xct * factor(cell, "ferroptosis.xct") * (cell.nrf2 * factor(cell, "ferroptosis.nrf2")) ** 0.7
                * (1.0 - chem.f_x * cell.ifng_response) * max(1.0 - 0.5 * (chem.p53 + added(cell, "ferroptosis.p53")), 0.0)
            )
            # two cysteines make one cystine
            cystine.vmax[v] = 0.5 * chem.v_x * transporter / (1.0 + cell.e_xct) * model.cell_fraction


def emit(model):
    """CXCL9/10, ATP, HMGB1, peroxide, IFN-gamma and suppressive cytokines, each if its field is due."""
    p, source = model.p, {n: f.source for n, f in model.fields.items()}
    # one 17 kDa molecule per second in V um^3 is 1694/V ng/mL/min
    ifng_rate = 1694.0 * p.killing.ifng_molecules_s / model.lattice.voxel_um3
    per_voxel = model.per_cell
    hmgb1 = model.fields["hmgb1"].c
    for cell in model.of("tumour"):
        v = cell.voxel
        if cell.alive:
            if model.due("cxcl"):
                source["cxcl"][v] += p.ifng_response.cxcl_rate * per_voxel * (
                    cell.ifng_response + p.ifng_response.cxcl_basal
                )
            if model.due("suppression"):
                source["suppression"][v] += p.suppression.damp_rate * per_voxel * float(
                    hmgb1[v] / (p.suppression.k_h + hmgb1[v])
                )
        else:
            for name, rate in (("atp", p.damp.atp_rate), ("hmgb1", p.damp.hmgb1_rate)):
                if model.due(name):
                    source[name][v] += rate * per_voxel * cell.release(p.damp) * factor(cell, f"damp.{name}")
        if cell.state in ("alive", "ferroptosis") and cell.plooh > p.uptake.emit_floor and model.due("peroxide"):
            source["peroxide"][v] += p.ferroptosis.p_s * cell.plooh
    for cell in model.of("cd8"):
        if model.due("ifng"):
            source["ifng"][cell.voxel] += ifng_rate * cell.stimulus * factor(cell, "secretion.ifng")
    for item in model.config.library.cells["macrophage"].secretes:
        if item.field != "suppression" and item.field in source and model.due(item.field):  # else nobody hears it
            for cell in model.of("macrophage"):
                share = {"m1": cell.m1, "m2": 1.0 - cell.m1, None: 1.0}[item.times]
                source[item.field][cell.voxel] += item.rate * per_voxel * share * factor(cell, f"secretion.{item.field}")
    if model.due("suppression"):
        for cell in model.of("treg"):
            source["suppression"][cell.voxel] += p.suppression.treg_rate * per_voxel * factor(cell, "secretion.suppression")
        for cell in model.of("macrophage"):
            source["suppression"][cell.voxel] += p.suppression.m2_rate * per_voxel * (1.0 - cell.m1) * factor(cell, "secretion.suppression")


def drug_terms(model):
    """Drugs are lost in living tumour cells; an enzyme drug takes extracellular cystine away."""
    for drug in model.therapy.drugs:
        if model.due(drug.name):
            loss = model.fields[drug.name].loss
            loss[:] = 0.0
            for cell in model.of("tumour"):
                if cell.alive:
                    loss[cell.voxel] = drug.entry.cell_loss * model.per_cell
    if model.due("cystine"):
        loss = model.fields["cystine"].loss
        loss[:] = 0.0
        for drug in model.therapy.drugs:
            for hit in drug.entry.hits:
                if hit.target == "cystine_pool":
                    loss += hit.strength * model.fields[drug.name].c


def particle_terms(model):
    """Particles are lost to cells and by release outside; what was released is a source of the drug."""
    for particle in model.therapy.particles:
        e = particle.entry
        if model.due(particle.name):
            loss = model.fields[particle.name].loss
            loss[:] = release_outside(particle, model.p.nanoparticles)
            for cell in model.of("tumour"):
                if cell.alive:
                    loss[cell.voxel] += e.tumour_uptake * model.per_cell
            for cell in model.of("macrophage"):
                loss[cell.voxel] += e.uptake_macrophage * model.per_cell
        for payload in e.payloads:
            if payload.drug is not None and model.due(payload.drug):
                model.fields[payload.drug].source += (
                    payload.loading * free_share(payload, model.config.library) * model.released[particle.name]
                )
