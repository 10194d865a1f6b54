"""The elements of PhysiCell's settings file, version 1.10 to 1.14: which are read here, and which change nothing here.

A name that is in neither list is told; one that is close to a name of the list is refused, since PhysiCell passes over
what it does not know and goes on with a default. Keys are `parent/element` where elements of one name differ.
"""

from __future__ import annotations

# element -> (names that are read, names that change nothing in a model on a lattice)
LAYOUT: dict[str, tuple[str, str]] = {
    "PhysiCell_settings": ("domain overall options microenvironment_setup cell_definitions initial_conditions cell_rules user_parameters", "parallel save initial_parameter_distributions cite"),
    "domain": ("x_min x_max y_min y_max z_min z_max dx dy dz use_2D", ""),
    "overall": ("max_time time_units space_units dt_phenotype", "dt_diffusion dt_mechanics dt_intracellular"),
    "PhysiCell_settings/options": ("random_seed", "legacy_random_points_on_sphere_in_divide virtual_wall_at_domain_edge disable_automated_spring_adhesions"),
    "microenvironment_setup": ("variable options", ""),
    "variable": ("physical_parameter_set initial_condition Dirichlet_boundary_condition Dirichlet_options", ""),
    "physical_parameter_set": ("diffusion_coefficient decay_rate", ""),
    "Dirichlet_options": ("boundary_value", ""),
    "microenvironment_setup/options": ("initial_condition dirichlet_nodes", "calculate_gradients track_internalized_substrates_in_each_agent"),
    "cell_definitions": ("cell_definition", ""),
    "cell_definition": ("phenotype", "custom_data initial_parameter_distributions"),
    "phenotype": ("cycle death volume motility secretion cell_interactions cell_transformations cell_integrity intracellular", "mechanics molecular"),
    "cycle": ("phase_transition_rates phase_durations", "standard_asymmetric_division"),
    "cycle/phase_transition_rates": ("rate", ""),
    "cycle/phase_durations": ("duration", ""),
    "death": ("model", ""),
    "model": ("death_rate phase_durations phase_transition_rates", "parameters"),
    "model/phase_transition_rates": ("rate", ""),
    "model/phase_durations": ("duration", ""),
    "volume": ("total", "fluid_fraction nuclear fluid_change_rate cytoplasmic_biomass_change_rate nuclear_biomass_change_rate calcified_fraction calcification_rate relative_rupture_volume"),
    "motility": ("speed persistence_time migration_bias options", ""),
    "motility/options": ("enabled chemotaxis advanced_chemotaxis", "use_2D"),
    "chemotaxis": ("enabled substrate direction", ""),
    "advanced_chemotaxis": ("enabled chemotactic_sensitivities", "normalize_each_gradient"),
    "chemotactic_sensitivities": ("chemotactic_sensitivity", ""),
    "secretion": ("substrate", ""),
    "secretion/substrate": ("secretion_rate secretion_target uptake_rate net_export_rate", ""),
    "cell_interactions": (
        "dead_phagocytosis_rate apoptotic_phagocytosis_rate necrotic_phagocytosis_rate other_dead_phagocytosis_rate live_phagocytosis_rates attack_rates "
        "attack_damage_rate damage_rate attack_duration fusion_rates", ""),
    "cell_transformations": ("transformation_rates", ""),
    "cell_integrity": ("damage_rate damage_repair_rate", ""),
    "initial_conditions": ("cell_positions", ""),
    "cell_positions": ("folder filename", ""),
    "cell_rules": ("rulesets", "settings"),
    "rulesets": ("ruleset", ""),
    "ruleset": ("folder filename", ""),
}  # fmt: skip


# why what is left out changes nothing here, or has no counterpart
WHY = {
    "parallel": "threads are an option of the command (--threads), and change no result", "save": "output has keys of its own (output:)", "cite": "for readers",
    "initial_parameter_distributions": "cells of a type begin alike, but for the tumour's traits (tumour.cv)",
    "virtual_wall_at_domain_edge": "no cell leaves the lattice", "calculate_gradients": "gradients are taken where cells walk",
    "track_internalized_substrates_in_each_agent": "substrates within cells are not tracked", "mechanics": "cells on a lattice push others by whole places: there is no adhesion, repulsion or attachment",
    "custom_data": "only the project's own C++ code reads it", "parameters": "a corpse keeps its voxel until it is cleared: it neither swells nor shrinks",
    "use_2D": "the domain says it", "normalize_each_gradient": "a walk follows one field", "settings": "rules have one way to act",
    "standard_asymmetric_division": "daughters are of their mother's type", "disable_automated_spring_adhesions": "there are no springs", "molecular": "substrates within cells are not tracked",
    "legacy_random_points_on_sphere_in_divide": "a daughter takes a voxel beside her mother",
    "dt_diffusion": "fields are solved implicitly, every 6 min", "dt_mechanics": "there are no mechanics", "dt_intracellular": "there are no intracellular models",
}
VOLUME = "cells have one volume here"


def layout_of(tag: str, parent: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """(names read, names that change nothing) within an element; None where any name is the user's own."""
    found = LAYOUT.get(f"{parent}/{tag}") or LAYOUT.get(tag)
    return None if found is None else (tuple(found[0].split()), tuple(found[1].split()))
