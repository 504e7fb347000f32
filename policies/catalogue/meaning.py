"""What a check means: its sentence, and a hash over the code that decides, so that neither changes unnoticed.

The code of a check is its function with everything of ours that the function rests on, without comments, docstrings
and layout: constants, helpers in the same and in other modules, defaults of what an environment declares, and for a
question to the account also the view, because what is not read is not judged. The machinery that all checks share is
left out; tests of its own hold it.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from policies.catalogue.model import CatalogueError

_MACHINERY = frozenset(
    {
        "probes.account.asking",
        "probes.account.population",
        "policies.rule",
        "policies.settings",
        "policies.tree",
        "policies.values",
        "policies.verdict",
    }
)
_OURS = ("probes", "policies")
_DECLARED = ("probes.account.declared", "Declared")
_DECLARED_NAMES = ("declared", "d")


@dataclass(frozen=True, kw_only=True)
class Meaning:
    """A check's sentence and the SHA-256 of what decides."""

    says: str
    sha256: str


@dataclass(frozen=True)
class _Module:
    """One parsed module: what it defines at its top level, and what its names were imported from."""

    name: str
    tree: ast.Module

    @cached_property
    def definitions(self) -> dict[str, ast.stmt]:
        found: dict[str, ast.stmt] = {}
        for node in self.tree.body:
            for name in _defined(node):
                found[name] = node
        return found

    @cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        """Name here -> (module, name there)."""
        return {
            alias.asname or alias.name: (node.module or "", alias.name)
            for node in self.tree.body
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
        }


def _defined(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Assign):
        yield from (one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name))
    elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        yield node.target.id


@dataclass
class Sources:
    """The modules below a root, parsed once each."""

    root: Path
    _parsed: dict[str, _Module | None] = field(default_factory=dict)

    def module(self, name: str) -> _Module | None:
        """The module of ours with this name; None where there is none."""
        if name not in self._parsed:
            path = self.root.joinpath(*name.split(".")).with_suffix(".py")
            ours = name.split(".")[0] in _OURS and path.is_file()
            self._parsed[name] = _Module(name, ast.parse(path.read_text(encoding="utf-8"))) if ours else None
        return self._parsed[name]

    def demand(self, name: str, what: str) -> _Module:
        """The module. Raises CatalogueError that names `what` needs it."""
        found = self.module(name)
        if found is None:
            raise CatalogueError(f"{what} does not exist: there is no module {name}. Mend the name, or remove it.")
        return found


def of_live_check(sources: Sources, name: str) -> Meaning:
    """Meaning of a question to the account (`database.encrypted`). Raises CatalogueError when there is none."""
    service, _, function = name.partition(".")
    module = sources.demand(f"probes.account.{service}", name)
    node = module.definitions.get(function)
    if not isinstance(node, ast.FunctionDef):
        raise CatalogueError(f"{name} does not exist: {module.name} has no function {function}. Mend the name.")
    decorator = next((one for one in node.decorator_list if _is_check(one)), None)
    if decorator is None:
        raise CatalogueError(f"{name} is no check: {module.name}.{function} is not made by @check. Mend the name.")
    return Meaning(says=_keyword(decorator, "rule", name), sha256=_digest(sources, module, (function, "view")))


def of_rule(sources: Sources, name: str) -> Meaning:
    """Meaning of a policy of ours (`CKV_RG_11`). Raises CatalogueError when there is none."""
    module = sources.demand(f"policies.rules.{name.lower()}", name)
    node = module.definitions.get("RULE")
    if not isinstance(node, ast.Assign):
        raise CatalogueError(f"{name} is no policy: {module.name} defines no RULE. Restore it, or remove the name.")
    return Meaning(says=_keyword(node.value, "says", name), sha256=_digest(sources, module, ("RULE",)))


def _is_check(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"


def _keyword(call: ast.expr, key: str, name: str) -> str:
    for one in call.keywords if isinstance(call, ast.Call) else ():
        if one.arg == key and isinstance(one.value, ast.Constant):
            return str(one.value.value)
    raise CatalogueError(f"{name} does not say what it demands: {key} is no plain text. Write it as one.")


def _digest(sources: Sources, module: _Module, roots: tuple[str, ...]) -> str:
    parts: dict[str, str] = {}
    for root in roots:
        _collect(sources, module, name=root, parts=parts)
    text = "\n".join(f"{key}\n{parts[key]}" for key in sorted(parts))
    return hashlib.sha256(text.encode()).hexdigest()


def _collect(sources: Sources, module: _Module, *, name: str, parts: dict[str, str]) -> None:
    """Add a definition and all of ours that it rests on."""
    key = f"{module.name}:{name}"
    node = module.definitions.get(name)
    if node is None or key in parts:
        return
    parts[key] = _plain(node)
    for used in ast.walk(node):
        if isinstance(used, ast.Name):
            _follow(sources, module, used.id, parts=parts)
        elif isinstance(used, ast.Attribute) and isinstance(used.value, ast.Name):
            _follow_attribute(sources, module, used, parts=parts)


def _follow(sources: Sources, module: _Module, name: str, *, parts: dict[str, str]) -> None:
    if name in module.definitions:
        _collect(sources, module, name=name, parts=parts)
    elif name in module.imports:
        origin, original = module.imports[name]
        found = sources.module(origin)
        if found is not None and origin not in _MACHINERY and (origin, original) != _DECLARED:
            _collect(sources, found, name=original, parts=parts)


def _follow_attribute(sources: Sources, module: _Module, used: ast.Attribute, *, parts: dict[str, str]) -> None:
    """`storage.private`: a name of an imported module; `declared.tasks_max`: the default of a declaration."""
    assert isinstance(used.value, ast.Name)  # the caller looked
    base = used.value.id
    if base in _DECLARED_NAMES:
        _collect_default(sources, used.attr, parts=parts)
    elif base in module.imports:
        found = sources.module(".".join(module.imports[base]))
        if found is not None and found.name not in _MACHINERY:
            _collect(sources, found, name=used.attr, parts=parts)


def _collect_default(sources: Sources, attribute: str, *, parts: dict[str, str]) -> None:
    module = sources.module(_DECLARED[0])
    declared = module.definitions.get(_DECLARED[1]) if module else None
    if module is None or not isinstance(declared, ast.ClassDef):
        return
    for node in declared.body:
        if attribute in _defined(node):
            parts[f"{module.name}:{_DECLARED[1]}.{attribute}"] = _plain(node)
            for used in ast.walk(node):
                if isinstance(used, ast.Name):
                    _follow(sources, module, used.id, parts=parts)


class _WithoutDocstrings(ast.NodeTransformer):
    def visit_Expr(self, node: ast.Expr) -> ast.Expr | None:  # ast calls it by the node's name
        """A text that stands alone says something to people only."""
        return None if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str) else node


def _plain(node: ast.stmt) -> str:
    """The code of a definition without comments, docstrings and layout."""
    copy = ast.parse(ast.unparse(node))
    return ast.unparse(_WithoutDocstrings().visit(copy))
