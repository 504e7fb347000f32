"""The inside of a block as values: arguments, nested blocks, and the blocks that dynamic ones make."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.hcl.evaluate import evaluate
from policies.hcl.scope import Scope
from policies.hcl.syntax import Block, Body, Name
from policies.values import Unknown, Value, joined

_META = ("count", "for_each", "provider", "depends_on", "lifecycle", "provisioner", "connection")


class Arguments(Mapping[str, Value]):
    """The arguments and blocks of a body as values, each evaluated when it is asked for, once.

    `top`: the body is a resource's own, where count and the like are Terraform's; deeper, they are the provider's.
    """

    def __init__(self, body: Body, scope: Scope, *, top: bool = False) -> None:
        self._body, self._scope, self._made = body, scope, dict[str, Value]()
        self._meta = _META if top else ()
        self._blocks = {b.labels[0] if b.kind == "dynamic" else b.kind for b in body.blocks} - set(self._meta)

    def __iter__(self) -> Iterator[str]:
        return iter(
            {
                **dict.fromkeys(key for key in self._body.arguments if key not in self._meta),
                **dict.fromkeys(self._blocks),
            }
        )

    def __len__(self) -> int:
        return len(list(iter(self)))

    def __contains__(self, key: object) -> bool:
        return (key in self._body.arguments and key not in self._meta) or key in self._blocks

    def __getitem__(self, key: str) -> Value:
        if key not in self:
            raise KeyError(key)
        if key not in self._made:
            self._made[key] = Unknown(f"{key}, which is defined by itself")
            argument = self._body.arguments.get(key)
            self._made[key] = evaluate(argument.expression, self._scope) if argument else self._nested(key)
        return self._made[key]

    def _nested(self, kind: str) -> list[Value]:
        found: list[Value] = []
        for block in self._body.blocks:
            if block.kind == kind:
                found.append(dict(Arguments(block.body, self._scope)))
            elif block.kind == "dynamic" and block.labels[0] == kind:
                found += _dynamic(block, self._scope)
        return found


def _dynamic(block: Block, scope: Scope) -> list[Value]:
    """The blocks that a dynamic block makes; one Unknown where it is not known how many."""
    over = evaluate(block.body.arguments["for_each"].expression, scope) if "for_each" in block.body.arguments else None
    content = next(iter(block.body.of("content")), None)
    if not isinstance(over, dict | list) or content is None:
        return [joined(f"dynamic {block.labels[0]} blocks", [over])]
    named = block.body.arguments.get("iterator")
    iterator = named.expression.name if named and isinstance(named.expression, Name) else block.labels[0]
    pairs = over.items() if isinstance(over, dict) else [(item, item) for item in over]
    return [
        dict(Arguments(content.body, scope.binding(**{iterator: {"key": key, "value": value}}))) for key, value in pairs
    ]
