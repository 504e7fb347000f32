"""The policies of ours as checks of checkov's graph, so that its own command line, editors and forges can run them.

The gate does not come this way: here an answer that is DEFERRED is dropped by checkov, and nothing is said about
policies without a resource. Verdicts of resources are the same, since the same rules judge the same trees.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from policies.checkov_adapter import GraphCheck, graph_registry
from policies.hcl.files import Library
from policies.hcl.load import load
from policies.registry import load_rules
from policies.rule import Judged, Rule, combined
from policies.settings import Settings, read_settings
from policies.tree import Origin, Tree
from policies.verdict import Verdict

_Vertices = list[dict[str, Any]]


def register() -> None:
    """Add every policy of ours that code can be judged by to checkov's registry, once."""
    known = {check.id for check in graph_registry().checks}
    settings = read_settings()
    for rule in load_rules().rules.values():
        if Origin.SOURCE in rule.origins and rule.id not in known:
            graph_registry().checks.append(RuleCheck(rule, settings))


class RuleCheck(GraphCheck):
    """One policy: judges the roots that checkov read, and hands its own vertices back in three heaps."""

    def __init__(self, rule: Rule, settings: Settings) -> None:
        super().__init__()
        self.id, self.name, self.category, self.guideline = rule.id, rule.says, "GENERAL_SECURITY", rule.remedy
        self._rule, self._settings = rule, settings

    def run(self, graph_connector: Any) -> tuple[_Vertices, _Vertices, _Vertices]:
        """(passed, failed, unknown) vertices."""
        vertices = [graph_connector[index][1] for index in graph_connector.node_indices()]
        heaps: dict[Verdict, _Vertices] = {Verdict.PASS: [], Verdict.FAIL: [], Verdict.DEFERRED: []}
        for root, tree in _trees(vertices):
            for judged in combined(self._rule.judge(tree, self._settings)):
                heaps[judged.verdict] += _vertices_of(judged, vertices, root)
        return heaps[Verdict.PASS], heaps[Verdict.FAIL], heaps[Verdict.DEFERRED]


def _trees(vertices: _Vertices) -> Iterator[tuple[Path, Tree]]:
    """The roots among the directories that checkov read: those that no module block led to."""
    roots = {Path(vertex["file_path_"]).parent for vertex in vertices if not vertex.get("source_module_object_")}
    yield from ((root, _tree(root)) for root in sorted(roots))


@cache
def _tree(root: Path) -> Tree:
    """Read once for all policies of a run."""
    return load(root, Library(base=root))


def _vertices_of(judged: Judged, vertices: _Vertices, root: Path) -> _Vertices:
    """checkov's vertices at the address; where it did not follow a loop, the one of the whole block."""
    address = judged.resource.address
    exact = [vertex for vertex in vertices if vertex.get("__address__") == address and _is_in(vertex, root)]
    whole = address.partition("[")[0] if address.endswith("]") else address
    return exact or [vertex for vertex in vertices if vertex.get("__address__") == whole and _is_in(vertex, root)]


def _is_in(vertex: dict[str, Any], root: Path) -> bool:
    module = vertex.get("source_module_object_")
    return str(root) in str(module) if module else Path(vertex["file_path_"]).parent == root
