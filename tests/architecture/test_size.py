"""Sizes are kept by a test, not by a wish (design.md 3): functions, modules, parameters, docstrings."""

from __future__ import annotations

import ast

from house import Finding, demand_none, functions, modules, text, tree

FUNCTION_LINES_MAX = 40
MODULE_LINES_MAX = 300
PARAMETERS_MAX = 5
POSITIONAL_MAX = 3  # the house asks for two; at four a caller cannot tell any more which is which
# Longer functions, each with its reason. Empty is how it should stay.
LONG_FUNCTIONS: dict[str, str] = {}
# More positional parameters, where their order is the domain's own.
POSITIONAL_REASONS = {
    "rollout/decide.py:decide": "design.md 4 names the four arguments of a decision in this order",
    "rollout/judge.py:judge_error_rate": "the counts first, then limits and window, as every gate has them",
    "rollout/judge.py:judge_p95": "as judge_error_rate",
    "rollout/judge.py:judge_cpu": "as judge_error_rate",
    "rollout/judge.py:_seen": "the words of one sentence in their order; everything else is named",
    "rollout/trip.py:_wire": "the columns of the table of triggers",
    "rollout/trip.py:_over": "k of n against a limit, as in the bounds",
}


def test_functions_are_short() -> None:
    demand_none(
        Finding(path, node.lineno, f"{node.name} has {lines} lines", f"At most {FUNCTION_LINES_MAX}: name its parts.")
        for path in modules()
        for node, _ in functions(path)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
        and f"{path}:{node.name}" not in LONG_FUNCTIONS
    )


def test_modules_are_short() -> None:
    demand_none(
        Finding(path, lines, f"the module has {lines} lines", f"At most {MODULE_LINES_MAX}: split it by its concepts.")
        for path in modules()
        if (lines := len(text(path).splitlines())) > MODULE_LINES_MAX
    )


def test_functions_take_few_parameters() -> None:
    demand_none(
        Finding(path, node.lineno, f"{node.name} takes {count} parameters", f"At most {PARAMETERS_MAX}: group them.")
        for path in modules()
        for node, method in functions(path)
        if (count := _positional(node, method=method) + len(node.args.kwonlyargs)) > PARAMETERS_MAX
        and not _is_command(node)
    )


def _is_command(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """A command of the command line: its parameters are its options, and click passes them by name."""
    calls = [one.func if isinstance(one, ast.Call) else one for one in node.decorator_list]
    return any(isinstance(call, ast.Attribute) and call.attr in ("command", "option", "argument") for call in calls)


def test_parameters_beyond_the_first_are_named_by_the_caller() -> None:
    """Public functions of the engine's package: a reader of a call sees what is what."""
    demand_none(
        Finding(
            path, node.lineno, f"{node.name} takes {count} positional parameters", "Put a * after the second of them."
        )
        for path in modules("rollout", "probes", "evidence", "gate", "rehearsal", "infrastructure")
        for node, method in functions(path)
        if (count := _positional(node, method=method)) > POSITIONAL_MAX
        and f"{path}:{node.name}" not in POSITIONAL_REASONS
        and not _is_command(node)
        and not node.name.startswith("__")
    )


def _positional(node: ast.FunctionDef | ast.AsyncFunctionDef, *, method: bool) -> int:
    static = any(isinstance(one, ast.Name) and one.id == "staticmethod" for one in node.decorator_list)
    return len(node.args.posonlyargs) + len(node.args.args) - (1 if method and not static else 0)


def test_public_modules_and_classes_say_what_they_are() -> None:
    demand_none(_without_docstring())


def _without_docstring() -> list[Finding]:
    found = []
    for path in modules():
        if text(path).strip() and ast.get_docstring(tree(path)) is None:
            found.append(Finding(path, 1, "the module has no docstring", "Say in one sentence what it is for."))
        found += [
            Finding(path, node.lineno, f"class {node.name} has no docstring", "Say what it is, with shapes and units.")
            for node in tree(path).body
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_") and ast.get_docstring(node) is None
        ]
    return found
