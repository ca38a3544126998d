"""The JSON Schema of study files: their own options, and those of every installed component."""

from typing import Any

from tunesmith.components import KINDS
from tunesmith.parameters import Categorical, Float, Int
from tunesmith.plugins import Registry, schema_of
from tunesmith.study import Study


def study_schema(registry: Registry) -> dict[str, Any]:
    """JSON Schema 2020-12 that editors check and complete study files with."""
    schema = Study.model_json_schema()
    definitions = schema["$defs"]
    for kind in KINDS:
        tables = [_component(registry, kind, name, definitions) for name in registry.names(kind)]
        definitions[kind] = {"anyOf": [{"enum": registry.names(kind)}, *tables]}
        one, many = {"$ref": f"#/$defs/{kind}"}, schema["properties"].get(f"{kind}s")
        if many:
            many["items"] = one
        else:
            option = schema["properties"][kind]
            kept = {key: option[key] for key in ("description", "default") if key in option}
            schema["properties"][kind] = kept | one
    definitions.pop("ComponentTable")
    schema["properties"].pop("folder")
    for parameter in (Float, Int, Categorical):
        definitions[parameter.__name__] = schema_of(parameter)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def _component(
    registry: Registry, kind: str, name: str, definitions: dict[str, Any]
) -> dict[str, Any]:
    schema = registry.schema(registry.find(kind, name))
    definitions.update(schema.pop("$defs", {}))
    properties = {"use": {"const": name}, **schema.pop("properties", {})}
    required = ["use", *schema.pop("required", [])]
    return {**schema, "properties": properties, "required": required}
