"""JSON Schemas of the configuration files, for editors: which keys there are, what each means and may be, which parts there are.

``make schemas`` writes them anew; a test fails where they have fallen behind the code.
"""

import json
from collections.abc import Iterable
from typing import Any

from scripts.common import components, settings, storage, syntax
from scripts.common.components import Family
from scripts.common.consistency import ACTIVATIONS
from scripts.common.networks import KINDS
from scripts.common.places import PROJECT
from scripts.common.settings import (
    NAME,
    Bibliography,
    EarlyStopping,
    Figure,
    Measurement,
    Model,
    Network,
    Part,
    Report,
    SeededPart,
    Simulation,
    Study,
    Variant,
)

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = PROJECT / "workflow/schemas"


def texts() -> dict[str, str]:
    """Return the text of each schema by the name of its file."""
    schemas = {
        "report.schema.json": report_schema(),
        "study.schema.json": study_schema(),
        "bibliography.schema.json": bibliography_schema(),
    }
    return {name: json.dumps({"$schema": DIALECT} | schema, indent=2, ensure_ascii=False) + "\n" for name, schema in schemas.items()}


def report_schema() -> Schema:
    """Return the schema of ``config/report.yaml`` and of files laid over it; these have some of its keys, so none is required."""
    return _closed(Report, required=())


def bibliography_schema() -> Schema:
    """Return the schema of ``config/bibliography.yaml``."""
    return _closed(Bibliography)


def study_schema() -> Schema:
    """Return the schema of a study."""
    measurements = {name: _measurement(name) for name in components.names(components.MEASUREMENT)}
    sections = {
        "data": _named(_one_of(components.DATASET, Part)),
        "defaults": _variant(required=()),
        "variants": _named(_variant(required=("label", "color"))),
        "simulations": _named(_one_of(components.SIMULATION, Simulation)),
        "measurements": {"type": "object", "properties": measurements, "additionalProperties": False},
        "figures": _named(_one_of(components.FIGURE, Figure)),
        "tables": _named(_one_of(components.TABLE, Figure)),
    }
    schema = _closed(Study)
    for name, section in sections.items():
        schema["properties"][name] = {"description": schema["properties"][name]["description"], **section}
    schema["anyOf"] = [{"required": [name]} for name in ("variants", "grids")]
    schema["$defs"] = {name: schema["$defs"][name] for name in ("Axis", "Factor", "Grid", "Observation", "Phase", "Sweep")}
    return schema


def _measurement(name: str) -> Schema:
    schema = _part(components.MEASUREMENT, name, Measurement)
    if components.compares(name):
        schema["required"].append("reference")
    else:
        del schema["properties"]["reference"]
    return schema


def _variant(required: Iterable[str]) -> Schema:
    """Return the schema of a variant, or of the defaults: of what it names there may be a part, the rest being said elsewhere."""
    schema = _closed(Variant, required=required)
    network = _closed(Network, required=())
    network["additionalProperties"] = False
    network["properties"]["kind"]["enum"] = [*KINDS, *components.names(components.NETWORK)]
    for name in components.names(components.NETWORK):
        own = _part(components.NETWORK, name, Model)["properties"]
        network["properties"] |= {key: value for key, value in own.items() if key not in network["properties"]}
    network["properties"]["activation"]["enum"] = [*components.names(components.ACTIVATION), *ACTIVATIONS]
    network["properties"]["dropout"] = {"description": network["properties"]["dropout"]["description"], **_one_of(components.DROPOUT, Part)}
    network.pop("$defs")
    sections = {
        "network": network,
        "initialization": _one_of(components.INITIALIZATION, SeededPart, required=()),
        "optimizer": _one_of(components.OPTIMIZER, Part, required=()),
        "batches": _one_of(components.BATCHES, SeededPart, required=()),
        "loss": _one_of(components.LOSS, Part, required=()),
        "augmentation": _one_of(components.AUGMENTATION, Part, required=()),
        "early_stopping": _closed(EarlyStopping),
    }
    for name, section in sections.items():
        schema["properties"][name] = {"description": schema["properties"][name]["description"], **section}
    schema.pop("$defs")
    return schema


def _named(schema: Schema) -> Schema:
    """Return the schema of a mapping from names to what `schema` describes."""
    return {"type": "object", "propertyNames": {"pattern": f"^{NAME}$", "maxLength": 60}, "additionalProperties": schema}


def _one_of(family: Family, model: type[Model], required: Iterable[str] | None = None) -> Schema:
    """Return the schema of any part of a family, told apart by `kind`."""
    parts = [_part(family, name, model, required) for name in components.names(family)]
    return {"type": "object", "properties": {"kind": {"enum": list(components.names(family))}}, "anyOf": parts}


def _part(family: Family, name: str, model: type[Model], required: Iterable[str] | None = None) -> Schema:
    """Return the schema of one part: the keys of `model`, and its own options with what its docstring says of each."""
    schema = _closed(model, required)
    docstring, options = components.docstring(family, name), components.options(family, name)
    told = syntax.described(docstring, "Args")
    if "kind" in schema["properties"]:
        schema["properties"]["kind"] = {"const": name}
    for key, option in options.items():
        words = told.get(key, components.in_words(option.annotation))
        schema["properties"][key] = {"description": words} | components.json_type(option.annotation)
    if required is None:
        schema["required"] = [*schema.get("required", []), *(key for key, option in options.items() if option.required)]
    return schema | {"description": docstring.partition("\n")[0], "additionalProperties": False}


def _closed(model: type[Model], required: Iterable[str] | None = None) -> Schema:
    """Return pydantic's schema of a model, with what its docstring says of each key; `required` keys instead of its own if given."""
    schema: Schema = _untitled(model.model_json_schema())
    definitions = {name: getattr(settings, name) for name in schema.get("$defs", {})}
    for described, of in [(schema, model), *((schema["$defs"][name], of) for name, of in definitions.items())]:
        told = {key: words for base in reversed(of.__mro__) for key, words in syntax.described(base.__doc__ or "", "Attributes").items()}
        described["properties"] = {key: {"description": told[key]} | value for key, value in described["properties"].items()}
        described["description"] = (of.__doc__ or "").partition("\n")[0]
    if required is not None:
        schema["required"] = list(required)
    return schema


def _untitled(schema: Any) -> Any:
    """Return a schema without the titles that pydantic makes of the names of keys."""
    if isinstance(schema, list):
        return [_untitled(entry) for entry in schema]
    if isinstance(schema, dict):
        return {key: _untitled(value) for key, value in schema.items() if key != "title" or not isinstance(value, str)}
    return schema


if __name__ == "__main__":
    for name, text in texts().items():
        storage.save_text(FOLDER / name, text)
