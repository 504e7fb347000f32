"""The JSON that the data source aws_iam_policy_document makes (Terraform AWS provider, aws_iam_policy_document)."""

from __future__ import annotations

from collections.abc import Mapping

from policies.values import Encoded, Unknown, Value, decoded, joined, listed

_LISTS = {
    "actions": "Action", "not_actions": "NotAction", "resources": "Resource", "not_resources": "NotResource",
}  # fmt: skip


def policy_document(read: Mapping[str, Value]) -> Value:
    """The document of the statements of a data source; statements of source documents come first."""
    inherited = [one for text in listed(read.get("source_policy_documents")) for one in _statements_of(text)]
    own = [_statement(one) for one in listed(read.get("statement"))]
    overriding = [one for text in listed(read.get("override_policy_documents")) for one in _statements_of(text)]
    return Encoded({"Version": read.get("version", "2012-10-17"), "Statement": [*inherited, *own, *overriding]})


def _statements_of(text: Value) -> list[Value]:
    document = decoded(text)
    return listed(document.get("Statement")) if isinstance(document, dict) else [joined("a source document", [text])]


def _statement(block: Value) -> Value:
    if isinstance(block, Unknown):
        return block
    made: dict[str, Value] = {"Effect": block.get("effect", "Allow")}
    made |= {name: block[key] for key, name in _LISTS.items() if block.get(key) is not None}
    if block.get("sid"):
        made["Sid"] = block["sid"]
    for key, name in (("principals", "Principal"), ("not_principals", "NotPrincipal")):
        if block.get(key):
            made[name] = _principals(block[key])
    if block.get("condition"):
        made["Condition"] = _conditions(block["condition"])
    return made


def _principals(blocks: list[Value]) -> Value:
    made: dict[str, list[Value]] = {}
    for block in blocks:
        kind = "unknown" if isinstance(block, Unknown) else block.get("type")
        made.setdefault(str(kind), []).extend(
            [block] if isinstance(block, Unknown) else listed(block.get("identifiers"))
        )
    return "*" if made == {"*": ["*"]} else made


def _conditions(blocks: list[Value]) -> Value:
    made: dict[str, Value] = {}
    for block in blocks:
        if isinstance(block, Unknown):
            return block
        made.setdefault(str(block.get("test")), {})[str(block.get("variable"))] = block.get("values")
    return made
