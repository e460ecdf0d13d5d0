"""What a study names held against what there is: data sets, variants, measurements, parts of the project, and their options."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from scripts.common import components, data_files, grids, prose, syntax, wording
from scripts.common.components import Family
from scripts.common.places import PROJECT, chapter_path, claims_path, study_path
from scripts.common.scores import SCORES
from scripts.common.settings import (
    Figure,
    Grid,
    Network,
    Part,
    Phase,
    Simulation,
    Study,
    Sweep,
    Variant,
    levels_of,
    setting_at,
    swept_settings,
)
from scripts.common.validation import validate


class Names(NamedTuple):
    """What a study names, by what it is: the names of all its entries, whatever is wrong with them; None where they cannot be told."""

    data: list[str] | None
    variants: list[str] | None
    simulations: list[str] | None
    sweeps: list[str] | None
    measurements: list[str] | None
    figures: list[str] | None
    tables: list[str] | None
    phases: list[str] | None
    grids: list[str] | None

    def runs(self) -> list[str] | None:
        """Return the names of variants, simulations and sweeps: of all that has numbers."""
        simulated = self.simulated()
        return None if self.variants is None or simulated is None else [*self.variants, *simulated]

    def simulated(self) -> list[str] | None:
        """Return the names of simulations and sweeps: of what figures show as simulations."""
        return None if self.simulations is None or self.sweeps is None else [*self.simulations, *self.sweeps]


def problems_of(name: str, study: Study, names: Names, papers: list[str] | None, place: str) -> list[str]:
    """Return what is wrong with the names and options in a study, with its claims and with its chapter.

    Args:
        name: name of the study.
        study: the study, or those of its entries that are right by themselves.
        names: the names of all its entries.
        papers: the keys of the bibliography; None where they cannot be told.
        place: how messages name the study's file.
    """
    problems = unknown(f"{place}: linearize_on", [study.linearize_on] if study.linearize_on else [], names.data, "data set")
    for key, part in study.data.items():
        problems += _check_data(f"{place}: data.{key}", part)
    of_grids = {variant for key, grid in study.grids.items() if _has_points(key, grid) for variant in grids.points(key, grid)}
    for key, variant in study.variants.items():
        problems += _check_variant(f"{place}: variants.{key}", variant, names) if key not in of_grids else []
    for key, grid in study.grids.items():
        problems += _check_grid(f"{place}: grids.{key}", key, grid, study, names)
    for key, simulation in study.simulations.items():
        problems += _check_simulation(f"{place}: simulations.{key}", key, simulation, names)
    for key, sweep in study.sweeps.items():
        problems += _check_sweep(f"{place}: sweeps.{key}", key, sweep, study, names)
    for key in study.measurements:
        problems += _check_measurement(f"{place}: measurements.{key}", key, study, names)
    for family, figures in ((components.FIGURE, study.figures), (components.TABLE, study.tables)):
        for key, figure in figures.items():
            problems += _check_figure(f"{place}: {family.word}s.{key}", family, figure, study, names)
            problems += wording.unknown_papers(figure.caption, f"{place}: {family.word}s.{key}.caption", papers)
    for key, phase in study.phases.items():
        problems += _check_phase(f"{place}: phases.{key}", phase, study, names)
    claims = syntax.functions(PROJECT / claims_path(name)) if (PROJECT / claims_path(name)).is_file() else {}
    if not claims:
        problems.append(f"{claims_path(name)}: missing or without a public function; write the claims of study '{name}' there")
    problems += [
        f"{claims_path(name)}: {claim}: takes {len(parameters)} parameters; allowed: one, the runs; name helpers with a _ before"
        for claim, parameters in claims.items()
        if len(parameters) != 1
    ]
    for number, observation in enumerate(study.observations):
        problems += unknown(f"{place}: observations.{number}.claims", observation.claims, list(claims), "claim")
    known = {
        "figure": names.figures,
        "table": names.tables,
        "claim": list(claims),
        "variant": names.runs(),
        "data set": names.data,
        "phase": names.phases,
        "variant or grid": None if (runs := names.runs()) is None or names.grids is None else [*runs, *names.grids],
    }
    known["paper"] = papers
    chapter, there = PROJECT / chapter_path(name), chapter_path(name)
    problems += prose.problems_of_file(chapter, there, PROJECT / study_path(name), study_path(name))
    return problems + wording.problems(chapter, there, known, _measured(study, names))


def _check_data(place: str, part: Part) -> list[str]:
    known = data_files.known(part.kind, part.options())
    problems = components.problems(components.DATASET, part.kind, part.options(), place, known=known)
    if problems:
        return problems
    files = [key for key, option in components.options(components.DATASET, part.kind).items() if "DataFile" in option.annotation]
    return data_files.problems(part.kind, part.options(), place, files=files)


def _check_variant(place: str, variant: Variant, names: Names) -> list[str]:
    given = [name for name in (variant.data, variant.linearize_on) if name]
    keys = dict(zip(("data", "linearize_on"), (variant.data, variant.linearize_on), strict=True))
    problems = [p for key, name in keys.items() if name in given for p in unknown(f"{place}.{key}", [name], names.data, "data set")]
    problems += _check_network(place, variant.network)
    parts: list[tuple[str, Family, Part | None]] = [
        ("initialization", components.INITIALIZATION, variant.initialization),
        ("optimizer", components.OPTIMIZER, variant.optimizer),
        ("batches", components.BATCHES, variant.batches),
        ("loss", components.LOSS, variant.loss),
        ("network.dropout", components.DROPOUT, variant.network.dropout),
        ("augmentation", components.AUGMENTATION, variant.augmentation),
    ]
    for key, family, part in parts:
        if part is not None:
            problems += components.problems(family, part.kind, part.options(), f"{place}.{key}")
    return problems + _check_engine(place, variant)


def _has_points(name: str, grid: Grid) -> bool:
    return not grids.problems_of_axes("", name, grid)


def _check_grid(place: str, name: str, grid: Grid, study: Study, names: Names) -> list[str]:
    """Return what is wrong with the variants of a grid, once for all that have it."""
    if not _has_points(name, grid):
        return []
    own = [variant for variant in grids.points(name, grid) if variant in study.variants]
    return grids.gathered(place, name, grid, {variant: _check_variant("", study.variants[variant], names) for variant in own})


NETWORKS = {"perceptron": ("hidden",), "convolutional": ("channels", "kernel"), "recurrent": ("hidden",), "attention": ("hidden",)}
"""What only networks of a kind have, and must have."""
EVEN = ("depth", "width")
"""What perceptrons may have in place of `hidden`, and must then have."""
ACTIVATIONS = ("prelu",)
"""Activations that networks have beside the functions: with parameters of their own."""
SCALES = ("weight_variance", "bias_variance", "output_scale")
"""What only networks in the ntk parametrization have, and must have."""


def _check_network(place: str, network: Network) -> list[str]:
    if network.kind not in NETWORKS:
        if network.kind not in components.names(components.NETWORK):
            return unknown(f"{place}.network.kind", [network.kind], [*NETWORKS, *components.names(components.NETWORK)], "kind of network")
        options = {key: value for key, value in network.options().items() if key != "kind"}
        return components.problems(components.NETWORK, network.kind, options, f"{place}.network")
    problems = [f"{place}.network.{key}: unknown key; allowed: {', '.join(Network.model_fields)}" for key in network.model_extra or {}]
    known = [*components.names(components.ACTIVATION), *ACTIVATIONS]
    problems += unknown(f"{place}.network.activation", [network.activation], known, "activation")
    of = f"a {network.kind} network" if network.parametrization == "standard" else f"a {network.kind} network in ntk parametrization"
    shape = NETWORKS[network.kind]
    if network.kind == "perceptron" and (network.depth is not None or network.width is not None):
        of, shape = "a perceptron with a depth and a width", EVEN
    needed = [*shape, *(SCALES if network.parametrization == "ntk" else ())]
    for key in dict.fromkeys([*(key for keys in NETWORKS.values() for key in keys), *EVEN, *SCALES]):
        if key in needed and getattr(network, key) is None:
            problems.append(f"{place}.network.{key}: is missing; add it here or under defaults, {of} needs it")
        elif key not in needed and getattr(network, key) is not None:
            problems.append(f"{place}.network.{key}: {of} has no such option; remove it")
    if network.kernel is not None and network.kernel % 2 == 0:
        problems.append(f"{place}.network.kernel: wrong value {network.kernel}; allowed: an odd number")
    return problems + _check_techniques(f"{place}.network", network)


def _check_techniques(place: str, network: Network) -> list[str]:
    """Return what of a network's normalization, dropout and branches does not go with what else it is."""
    problems = []
    widths = network.options().get("hidden") or network.channels or []
    if network.kind in ("recurrent", "attention") and len(widths) != 1:
        problems.append(f"{place}.hidden: wrong value {components.shown(widths)}; allowed: one width with a {network.kind} network")
    if network.kind == "convolutional" and network.activation in ACTIVATIONS:
        problems.append(f"{place}.activation: wrong value '{network.activation}'; allowed: one that never falls, which pooling needs")
    if (network.normalization == "group") != (network.groups is not None):
        rule = "group normalization needs it; add it" if network.groups is None else "only group normalization has it; remove it"
        problems.append(f"{place}.groups: {rule}")
    elif network.groups and any(width % network.groups for width in widths):
        problems.append(f"{place}.groups: wrong value {network.groups}; allowed: what divides all of {', '.join(map(str, widths))}")
    if network.normalization == "instance" and network.kind not in ("convolutional", "attention"):
        problems.append(f"{place}.normalization: wrong value 'instance'; allowed: others, a {network.kind} network has no positions")
    if network.dropout is not None and network.dropout.kind == "drop_block" and network.kind != "convolutional":
        problems.append(f"{place}.dropout.kind: wrong value 'drop_block'; allowed: others, a {network.kind} network has no images within")
    if network.residual and (network.kind != "perceptron" or len(widths) % 2 == 0 or len(set(widths)) > 1):
        problems.append(f"{place}.residual: allowed: with a perceptron of an odd number of hidden layers of one width; change either")
    return problems


PLAIN: dict[str, tuple[Any, ...]] = {
    "network.normalization": (None,),
    "network.dropout": (None,),
    "network.residual": (None, False),
    "augmentation": (None,),
}
"""A network and a training without techniques."""
ON_CPU = (None, "auto", "cpu")
"""What a variant may say of its device if its engine has the CPU alone; where a report or a study says cuda, it is trained on the CPU."""
ENGINES: dict[str, dict[str, tuple[Any, ...]]] = {
    "stacked": {"trained": ("all",), "network.kind": ("perceptron",), "optimizer.kind": ("sgd", "adam"), **PLAIN},
    "compiled": {
        **PLAIN,
        "network.kind": ("perceptron",),
        "network.activation": ("relu",),
        "network.parametrization": ("standard",),
        "optimizer.kind": ("sgd",),
        "batches.kind": ("subsets",),
        "loss.kind": ("mse",),
        "device": ON_CPU,
    },
    "autograd": {"trained": ("all",), "network.parametrization": ("standard",), "optimizer.kind": ("sgd", "adam")},
    "gauss_newton": {
        **PLAIN,
        "trained": ("all",),
        "network.kind": ("perceptron",),
        "optimizer.kind": ("natural_gradient",),
        "batches.kind": ("full",),
        "loss.kind": ("mse",),
        "device": ON_CPU,
    },
}
"""What each engine trains: the values that it allows, by the path of the key in a variant."""


def _check_engine(place: str, variant: Variant) -> list[str]:
    settings, built_in = variant.model_dump(), variant.network.kind in NETWORKS
    problems = [
        f"{place}.{path}: wrong value {components.shown(setting_at(settings, path))}; "
        f"allowed: {' or '.join(components.shown(value) for value in allowed)} with the {variant.engine} engine"
        for path, allowed in ENGINES[variant.engine].items()
        if setting_at(settings, path) not in allowed and (path == "network.kind" or path.partition(".")[0] != "network" or built_in)
    ]
    if variant.engine != "autograd" and variant.network.activation in ACTIVATIONS:
        problems.append(f"{place}.network.activation: wrong value '{variant.network.activation}'; allowed: with the autograd engine")
    plain = variant.network.kind == "perceptron" and variant.network.activation not in ACTIVATIONS
    if variant.jacobian != "none" and not (plain and all(setting_at(settings, path) in allowed for path, allowed in PLAIN.items())):
        what = f"a {variant.network.kind} network" if variant.network.kind != "perceptron" else "techniques of normalization and dropout"
        problems.append(f"{place}.jacobian: wrong value '{variant.jacobian}'; allowed: 'none' with {what}")
    return problems


def _check_sweep(place: str, name: str, sweep: Sweep, study: Study, names: Names) -> list[str]:
    problems = unknown(f"{place}.variant", [sweep.variant], names.variants, "variant")
    if name in (names.variants or []) or name in (names.simulations or []):
        problems.append(f"{place}: there is a variant or simulation of this name; rename one")
    for number, factor in enumerate(sweep.over):
        first, counts = next(iter(factor.settings.values())), [len(values) for values in factor.settings.values()]
        counts += [len(factor.levels)] if factor.levels is not None else []
        if len(set(counts)) > 1:
            problems.append(f"{place}.over.{number}: {' and '.join(map(str, counts))} values; give as many of each")
        if factor.levels is None and not all(isinstance(value, int | float) and not isinstance(value, bool) for value in first):
            problems.append(f"{place}.over.{number}.levels: is missing; add what the levels are called, for they are no numbers")
        elif len({str(called) for called in factor.levels or first}) < len(first):
            problems.append(f"{place}.over.{number}: two levels are called the same; rename one")
    if problems or sweep.variant not in study.variants:
        return problems
    for level, settings in levels_of(sweep, study.variants[sweep.variant].model_dump(exclude_none=True)).items():
        there = f"{place} at {level}"
        variant = validate(Variant, settings, lambda path, there=there: f"{there}: {path}", problems)  # type: ignore[misc]
        problems += _check_variant(there, variant, names) if variant else []
    return list(dict.fromkeys(problems))


def _check_simulation(place: str, name: str, simulation: Simulation, names: Names) -> list[str]:
    problems = components.problems(components.SIMULATION, simulation.kind, simulation.options(), place)
    if name in (names.variants or []):
        problems.append(f"{place}: there is a variant of this name; rename one")
    if simulation.kind not in components.names(components.SIMULATION):
        return problems
    reads = "data" in components.reads(components.SIMULATION, simulation.kind)
    if reads and simulation.data is None:
        problems.append(f"{place}: simulation '{simulation.kind}' needs the option 'data', the name of a data set; add it")
    elif not reads and simulation.data is not None:
        problems.append(f"{place}.data: simulation '{simulation.kind}' reads no data set; remove it")
    elif simulation.data is not None:
        problems += unknown(f"{place}.data", [simulation.data], names.data, "data set")
    return problems


def _check_measurement(place: str, name: str, study: Study, names: Names) -> list[str]:
    problems = unknown(place, [name], components.names(components.MEASUREMENT), "measurement")
    if problems:
        return problems
    measurement = study.measurements[name]
    variants = _chosen(measurement.variants, names)
    problems += _unknown_or_twice(f"{place}.variants", variants, names.variants, "variant")
    reads = components.reads(components.MEASUREMENT, name)
    problems += _not_measured(f"{place}: measurement '{name}'", [read for read in reads if _is_measurement(read)], variants, study, names)
    problems += _not_linearized(f"{place}: measurement '{name}'", reads, variants, study)
    if components.compares(name):
        if measurement.reference is None:
            return [*problems, f"{place}: measurement '{name}' needs the option 'reference', the name of a variant; add it"]
        problems += unknown(f"{place}.reference", [measurement.reference], names.variants, "variant")
        of_reference = [read.removeprefix("reference_") for read in reads if _is_measurement(read.removeprefix("reference_"))]
        problems += _not_measured(f"{place}.reference: measurement '{name}'", of_reference, [measurement.reference], study, names)
    elif measurement.reference is not None:
        problems.append(f"{place}.reference: measurement '{name}' compares with no other variant; remove it")
    return problems + components.problems(components.MEASUREMENT, name, measurement.options(), place)


FORMS = {"jacobian": "stored", "gram": "gram"}
"""What a variant's `jacobian` must say for a measurement to read one of its forms."""


def _not_linearized(place: str, reads: Sequence[str], variants: Iterable[str], study: Study) -> list[str]:
    """Return of which variants a measurement reads a form of the Jacobian that is not stored."""
    return [
        f"{place} reads the '{read}' of variant '{variant}', of which is stored: {study.variants[variant].jacobian}; "
        f"set variants.{variant}.jacobian to '{FORMS[read]}', or leave the variant out"
        for read in reads
        for variant in variants
        if read in FORMS and variant in study.variants and study.variants[variant].jacobian != FORMS[read]
    ]


def _check_phase(place: str, phase: Phase, study: Study, names: Names) -> list[str]:
    problems = _unknown_or_twice(f"{place}.variants", phase.variants, names.variants, "variant")
    problems += _unknown_or_twice(f"{place}.simulations", phase.simulations, names.simulated(), "simulation")
    problems += _unknown_or_twice(f"{place}.grids", phase.grids, names.grids, "grid")
    runs = [study.variants[key].model_dump() for key in phase.variants if key in study.variants]
    runs += [study.simulations[key].model_dump() for key in phase.simulations if key in study.simulations]
    sweeps = [study.sweeps[key] for key in phase.simulations if key in study.sweeps]
    runs += [swept_settings(sweep, study.variants[sweep.variant].model_dump()) for sweep in sweeps if sweep.variant in study.variants]
    runs += [swept_settings(study.grids[key], {}) for key in phase.grids if key in study.grids]
    return problems + [
        f"{place}.swept.{words}: no variant or simulation of the phase has a setting '{path}'; correct the path"
        for words, path in phase.swept.items()
        if runs and not any(setting_at(run, path) is not None for run in runs)
    ]


def _check_figure(place: str, family: Family, figure: Figure, study: Study, names: Names) -> list[str]:
    shown, measured = _chosen(figure.variants, names), _measured(study, names)
    simulated = (names.simulated() or []) if isinstance(figure.simulations, str) else figure.simulations
    known = {"variant": [*shown, *simulated], "data set": names.data, "quantity": list(measured) if measured is not None else None}
    known |= {"grid": names.grids}
    problems = components.problems(family, figure.kind, figure.options(), place, known=known)
    if figure.kind not in components.names(family):
        return problems
    problems += _unknown_or_twice(f"{place}.variants", shown, names.variants, "variant")
    problems += _unknown_or_twice(f"{place}.simulations", simulated, names.simulated(), "simulation")
    reads = components.reads(family, figure.kind)
    needs = [read for read in reads if _is_measurement(read)]
    if simulated and not {"simulated", "numbers"} & set(reads):
        problems.append(f"{place}.simulations: {family.word} '{figure.kind}' shows no simulations; remove them")
    if "simulated" in reads and not simulated and not shown:
        problems.append(f"{place}: {family.word} '{figure.kind}' needs simulations; add `simulations: all` or a list of them")
    elif not shown and not simulated and names.variants is not None and (needs or {"styles", "data", "train"} & set(reads)):
        problems.append(f"{place}: {family.word} '{figure.kind}' needs variants; add `variants: all` or a list of them")
    return problems + _not_measured(f"{place}: {family.word} '{figure.kind}'", needs, shown, study, names)


def _chosen(variants: str | list[str], names: Names) -> list[str]:
    return (names.variants or []) if isinstance(variants, str) else variants


def _measured(study: Study, names: Names) -> dict[str, list[str]] | None:
    """Return every quantity of a study and of which variants and simulations there is one, or None where that cannot be told."""
    if names.measurements is None or names.runs() is None:
        return None
    found: dict[str, list[str]] = {}
    for name in names.measurements:
        for quantity in components.quantities(components.MEASUREMENT, name) if _is_measurement(name) else ():
            found[quantity] = _chosen(study.measurements[name].variants if name in study.measurements else "all", names)
    for name, simulation in study.simulations.items():
        known = simulation.kind in components.names(components.SIMULATION)
        for quantity in components.quantities(components.SIMULATION, simulation.kind) if known else ():
            found[quantity] = [*found.get(quantity, []), name]
    for quantity in SCORES:
        if study.sweeps:
            found[quantity] = [*found.get(quantity, []), *study.sweeps]
    return found


def _is_measurement(read: str) -> bool:
    return read in components.names(components.MEASUREMENT)


def _not_measured(place: str, needs: Iterable[str], variants: Iterable[str], study: Study, names: Names) -> list[str]:
    """Return which of the measurements `needs` the study does not make, or not of all `variants`."""
    problems: list[str] = []
    known = frozenset(names.variants or [])
    for need in needs:
        if names.measurements is not None and need not in names.measurements:
            problems.append(f"{place} reads measurement '{need}', which the study does not make; add it under measurements")
        elif need in study.measurements and study.measurements[need].variants != "all":
            measured = frozenset(study.measurements[need].variants)
            problems += [
                f"{place} reads '{need}' of variant '{variant}', of which it is not measured; add it to measurements.{need}.variants"
                for variant in variants
                if variant in known and variant not in measured
            ]
    return problems


def _unknown_or_twice(place: str, given: Sequence[str], known: Iterable[str] | None, word: str) -> list[str]:
    twice = [name for name, count in Counter(given).items() if count > 1]
    return unknown(place, dict.fromkeys(given), known, word) + [f"{place}: '{name}' is listed twice; keep one" for name in twice]


def unknown(place: str, given: Iterable[str], known: Iterable[str] | None, word: str) -> list[str]:
    """Return which of the names are not `known`; none where it cannot be told what is known."""
    if known is None:
        return []
    there = frozenset(known)
    return [f"{place}: unknown {word} '{name}'; known: {', '.join(known) or 'none'}" for name in given if name not in there]
