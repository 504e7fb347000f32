"""The document that describes the API is itself sound. (`openapi-spec-validator` checks the rest; it takes seconds.)"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from sandbox.service.image import VERSIONS
from sandbox.service.plain import document

METHODS = ("get", "post", "put", "delete")


def references(part: Any) -> Iterator[str]:
    """Every $ref below `part`."""
    for value in part.values() if isinstance(part, dict) else part if isinstance(part, list) else ():
        yield from references(value)
    if isinstance(part, dict) and "$ref" in part:
        yield part["$ref"]


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_describes_itself(version: str) -> None:
    """Its number, and notes only where there are any."""
    described = document(version)

    assert version == described["info"]["version"]
    assert ("note" in described["components"]["schemas"]["Item"]["properties"]) is (version == "1.1.0")


def test_every_reference_leads_somewhere_and_nothing_is_left_over() -> None:
    """Within the components."""
    described = document("1.1.0")
    defined = {f"#/components/{kind}/{name}" for kind, parts in described["components"].items() for name in parts}
    used = set(references(described))

    assert used <= defined
    assert {name for name in defined - used if "securitySchemes" not in name} == set()


def test_every_schema_is_a_schema() -> None:
    """JSON Schema 2020-12, as OpenAPI 3.1 says."""
    for schema in document("1.1.0")["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_every_operation_has_a_name_of_its_own_and_describes_its_errors() -> None:
    """At least malformed requests and failures."""
    operations = [part[method] for part in document("1.1.0")["paths"].values() for method in METHODS if method in part]
    names = [operation["operationId"] for operation in operations]

    assert len(names) == len(set(names)) == 22
    for operation in operations:
        missing = {"400", "500"} - set(operation["responses"])
        assert not missing, f"{operation['operationId']} does not describe {missing}"
