"""A root directory of Terraform to a tree of everything that it declares, modules and repetitions included."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from policies.hcl.arguments import Arguments
from policies.hcl.evaluate import evaluate
from policies.hcl.files import Directory, Library
from policies.hcl.module import ModuleInstance, Repeated
from policies.hcl.scope import Scope
from policies.hcl.syntax import Attribute, Block, Expression, File, Index, Name, Template, Tuple
from policies.tree import Mode, Origin, Place, Resource, Tree
from policies.values import Encoded, Instance, Unknown, Value

_DEPTH_MAX = 20  # modules within modules; deeper is a circle


def load(root: Path, library: Library, *, variables: Mapping[str, Value] | None = None) -> Tree:
    """The tree of one root directory; what could not be read is in `library.gaps`.

    `variables`: values that somebody gave on the command line; they win over files beside the root.
    """
    directory = library.directory(root)
    inputs = {name: _constant(expression) for name, expression in directory.values.items()}
    inputs |= {name: partial(_given, value) for name, value in (variables or {}).items()}
    module = ModuleInstance(directory, inputs=inputs)
    resources = [*_settings(directory, module), *_resources(module, 0)]
    return Tree(
        name=library.shown(directory.path),
        origin=Origin.SOURCE,
        resources=tuple(resources),
        files=tuple(sorted({resource.place.file for resource in resources})),
    )


def _given(value: Value) -> Value:
    return value


class _NoNames:
    """A .tfvars file knows no names."""

    def lookup(self, path: tuple[str, ...]) -> tuple[Value, int]:
        return Unknown(".".join(path)), len(path)

    def read(self, path: str) -> str | None:
        return None


def _constant(expression: Expression) -> Callable[[], Value]:
    return lambda: evaluate(expression, Scope(names=_NoNames()))


def _resources(module: ModuleInstance, depth: int) -> Iterator[Resource]:
    for file, block in module.directory.located():
        if block.kind in ("resource", "data") and len(block.labels) == 2:
            for repeated in module.repetitions(block):
                yield _resource(module, file, block, repeated)
        elif block.kind == "module" and depth < _DEPTH_MAX:
            for _, child in module.children(block.labels[0]):
                yield from _resources(child, depth + 1)


def _resource(module: ModuleInstance, file: File, block: Block, repeated: Repeated) -> Resource:
    return Resource(
        address=module.address_of(block, repeated),
        kind=block.labels[0],
        name=block.labels[1],
        mode=Mode.DATA if block.kind == "data" else Mode.MANAGED,
        values=plain(dict(Arguments(block.body, repeated.scope, top=True))),
        place=_place(file, block),
        ignored=_ignored(block),
        lifecycle=_lifecycle(block, repeated.scope),
        region=plain(module.region_of(block)),
        uncertain=not repeated.certain,
    )


def _place(file: File, block: Block) -> Place:
    return Place(file=file.path, line=block.line, end_line=block.end_line)


def _lifecycle(block: Block, scope: Scope) -> dict[str, Value]:
    return {
        name: evaluate(argument.expression, scope)
        for lifecycle in block.body.of("lifecycle")
        for name, argument in lifecycle.body.arguments.items()
        if name != "ignore_changes"
    }


def _ignored(block: Block) -> tuple[str, ...]:
    """Attributes of lifecycle.ignore_changes as written: `default_action`, `tags["x"]`, `all`."""
    found: list[str] = []
    for lifecycle in block.body.of("lifecycle"):
        argument = lifecycle.body.arguments.get("ignore_changes")
        if argument is not None:
            items = argument.expression.items if isinstance(argument.expression, Tuple) else (argument.expression,)
            found += [written(item) for item in items]
    return tuple(found)


def written(expression: Expression) -> str:
    """A plain reference as it stands in the file."""
    if isinstance(expression, Attribute):
        return f"{written(expression.of)}.{expression.name}"
    if isinstance(expression, Index):
        return f"{written(expression.of)}[{written(expression.key)}]"
    if isinstance(expression, Template):
        return "".join(part if isinstance(part, str) else written(part) for part in expression.parts)
    return expression.name if isinstance(expression, Name) else str(getattr(expression, "value", "?"))


def plain(value: Value) -> Value:
    """A value without evaluation left in it: a whole resource becomes what is known of it, its address."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, Encoded):
        return Encoded(plain(value.value))
    if isinstance(value, Instance):
        return Unknown(value.address, frozenset({value.address}))
    return value


def _settings(directory: Directory, module: ModuleInstance) -> Iterator[Resource]:
    """What the root says about Terraform itself: backend, required providers and versions, providers, variables."""
    for file, block in directory.located():
        if block.kind == "terraform":
            yield from _terraform(directory, module, file, block)
        elif block.kind in ("provider", "variable"):
            label = block.labels[0]
            values = plain(dict(Arguments(block.body, module.scope)))
            if block.kind == "variable":
                values["given"] = plain(module.lookup(("var", label))[0])
            yield _setting(f"{block.kind}.{label}", block.kind, values, _place(file, block))
    yield from _undeclared(directory)


def _undeclared(directory: Directory) -> Iterator[Resource]:
    """Values in a file of variables that no variable takes: Terraform only warns of them, and they are as readable."""
    for name, (file, line) in directory.given_at.items():
        if directory.block("variable", name) is None:
            values = {"given": plain(_constant(directory.values[name])())}
            yield _setting(f"variable.{name}", "variable", values, Place(file=file, line=line, end_line=line))


def _terraform(directory: Directory, module: ModuleInstance, file: File, block: Block) -> Iterator[Resource]:
    values = plain({key: value for key, value in Arguments(block.body, module.scope).items() if key != "backend"})
    values["lock_file"] = directory.library.text(directory.path / ".terraform.lock.hcl") is not None
    yield _setting("terraform", "terraform", values, _place(file, block))
    for backend in block.body.of("backend"):
        given = {name: evaluate(one, module.scope) for name, one in directory.backend.items()}
        values = plain({**given, **Arguments(backend.body, module.scope), "type": backend.labels[0]})
        yield _setting(f"terraform.backend.{backend.labels[0]}", "backend", values, _place(file, backend))


def _setting(address: str, kind: str, values: dict[str, Value], place: Place) -> Resource:
    return Resource(
        address=address, kind=kind, name=address.rpartition(".")[2], mode=Mode.SETTING, values=values, place=place
    )
