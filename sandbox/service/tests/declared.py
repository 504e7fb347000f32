"""Is an answer one that the OpenAPI document declares?"""

from __future__ import annotations

from typing import Any

import httpx
from jsonschema import Draft202012Validator


def undeclared(document: dict[str, Any], path: str, *, answer: httpx.Response) -> str:
    """Empty, or what is wrong with `answer` to an operation on the document's `path`."""
    operation = document["paths"][path][answer.request.method.lower()]
    response = operation["responses"].get(str(answer.status_code))
    if response is None:
        return f"{answer.status_code} is not declared for {operation['operationId']}"
    if "$ref" in response:
        response = document["components"]["responses"][response["$ref"].rsplit("/", 1)[1]]
    missing = [name for name in response.get("headers", {}) if name not in answer.headers and "limit" not in name]
    if missing:
        return f"the header {missing[0]} is missing"
    content = response.get("content")
    if not content:
        return "" if not answer.content else "a body is not declared"
    media_type = answer.headers["content-type"].split(";")[0]
    if media_type not in content:
        return f"{media_type} is not declared"
    schema = {**content[media_type]["schema"], "components": document["components"]}
    errors = [error.message for error in Draft202012Validator(schema).iter_errors(answer.json())]
    return "; ".join(errors)
