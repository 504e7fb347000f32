"""Terraform's language: what is read, what is refused, and that the unknown stays unknown through everything."""

from __future__ import annotations

import json
import re
import string
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.hcl.evaluate import evaluate
from policies.hcl.parser import parse
from policies.hcl.scope import Scope
from policies.hcl.syntax import Unparsable
from policies.values import Encoded, Partly, Unknown, Value, decoded, known_end


class Names:
    """`known.x` is 7, `known.list` is [1, 2], `gone` is null; everything else is unknown."""

    KNOWN: ClassVar[dict[str, Value]] = {
        "x": 7,
        "list": [1, 2],
        "map": {"a": 1, "b": 2},
        "text": "word",
        "yes": True,
        "gone": None,
    }

    def lookup(self, path: tuple[str, ...]) -> tuple[Value, int]:
        if path[0] == "known" and len(path) > 1 and path[1] in self.KNOWN:
            return self.KNOWN[path[1]], 2
        return Unknown(".".join(path[:2]), frozenset({".".join(path[:2])})), min(2, len(path))

    def read(self, path: str) -> str | None:
        return {"note.txt": "noted", "t.tftpl": '{"a": "${x}", "b": "${y}"}'}.get(path)


def value(expression: str) -> Any:
    file = parse(f"x = {expression}\n", "test.tf")
    return evaluate(file.body.arguments["x"].expression, Scope(names=Names()))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", 7),
        ("(1 + 2) * 3", 9),
        ("10 - 2 - 3", 5),
        ("7 % 4", 3),
        ("-known.x", -7),
        ("!known.yes", False),
        ("true && false || true", True),
        ('"a" == "a"', True),
        ("1 == true", False),
        ("known.x > 5 ? 1 : 2", 1),
        ('"v${known.x}-${known.text}"', "v7-word"),
        ('"$${known.x}"', "${known.x}"),
        ('"${known.list}"', [1, 2]),
        (r'"a\nb\"c\\"', 'a\nb"c\\'),
        (r'"\u00e9"', "é"),
        ("[1, 2,]", [1, 2]),
        ("{ a = 1, b : 2 }", {"a": 1, "b": 2}),
        ('{ "a b" = 1 }', {"a b": 1}),
        ("{ (known.text) = 1 }", {"word": 1}),
        ("{\n  a = 1\n  b = 2\n}", {"a": 1, "b": 2}),
        ("[for n in known.list : n * 2]", [2, 4]),
        ("[for i, n in known.list : i if n > 1]", [1]),
        ("{ for k, v in known.map : v => k }", {"1": "a", "2": "b"}),
        ("{ for n in [1, 1, 2] : n => n... }", {"1": [1, 1], "2": [2]}),
        ('known.map["a"]', 1),
        ("known.list[1]", 2),
        ("known.list.1", 2),
        ("[{ a = 1 }, { a = 2 }][*].a", [1, 2]),
        ("[{ a = 1 }].*.a", [1]),
        ("known.gone[*]", []),
        ('jsondecode(jsonencode({ a = 1 })).a', 1),
        ('merge({ a = 1 }, { b = var.x })["a"]', 1),
        ("concat([1], [2])", [1, 2]),
        ("max([3, 5]...)", 5),
        ('toset(["b", "a", "b"])', ["a", "b"]),
        ('cidrsubnet("10.0.0.0/16", 8, 2)', "10.0.2.0/24"),
        ('format("%s-%03d", "a", 7)', "a-007"),
        ('join("-", ["a", 1])', "a-1"),
        ('replace("a-b", "-", "_")', "a_b"),
        ('lookup({ a = 1 }, "b", 9)', 9),
        ('try(known.x, 1)', 7),
        ('coalesce(null, "", "a")', "a"),
        ('file("note.txt")', "noted"),
        ("<<EOT\nline ${known.x}\nEOT\n", "line 7\n"),
        ("<<-EOT\n    a\n      b\n    EOT\n", "a\n  b\n"),
        ('false && var.x', False),
        ('true || var.x', True),
        ('var.x ? 1 : 1', 1),
    ],
)  # fmt: skip
def test_what_is_known_is_computed(expression: str, expected: Any) -> None:
    assert value(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [
        "var.x", "var.x + 1", "!var.x", "-var.x", "var.x == 1", "1 < var.x", "var.x && true", "var.x ? 1 : 2",
        '"${var.x}"', "var.x[0]", "var.x.y.z", "known.map[var.x]", "known.map.missing", "known.list[9]",
        "[for n in var.x : n]", "{ for n in [1] : var.x => n }", "[for n in [1] : n if var.x]", "var.x[*].id",
        "nosuchfunction(1)", "join(var.x, [1])", 'join("-", [var.x])', "lower(1)", "1 / 0", "1 + [1]", "!7",
        'regex("a", "b")', "try(var.x, 1)", 'file("other.txt")', "file(var.x)", '"%{ if true }a%{ endif }"',
        "{ (var.x) = 1 }", "merge(var.x, {})", "element([], 0)", "one([1, 2])", "provider::aws::arn_parse(1)",
        'format("%s")', 'tonumber("x")', "known.gone.a",
    ],
)  # fmt: skip
def test_what_is_not_known_or_refused_is_unknown_and_never_a_guess(expression: str) -> None:
    assert isinstance(value(expression), Unknown), expression


def test_the_unknown_remembers_whose_it_is_through_templates_and_functions() -> None:
    expression = 'upper("${aws_a.b.arn}-${join("", [aws_c.d.id])}")'

    assert value(expression).references == frozenset({"aws_a.b", "aws_c.d"})


def test_a_text_with_unknown_parts_still_ends_with_what_is_known() -> None:
    partly = value('"${var.repository}@sha256:abc"')

    assert isinstance(partly, Partly)
    assert known_end(partly) == "@sha256:abc"
    assert known_end(value('"a${var.x}"')) == ""
    assert known_end(value('"${var.x}@${known.text}-${known.x}"')) == "@word-7"


def test_json_with_unknown_texts_is_read_around_them() -> None:
    document = decoded(value('"{\\"a\\": \\"x-${var.y}\\", \\"b\\": [1]}"'))

    assert document["b"] == [1]
    assert isinstance(document["a"], Partly)
    assert isinstance(decoded(value('"{\\"a\\": ${var.y}}"')), Unknown), "an unknown number may be anything"


def test_a_template_file_is_filled_with_its_own_names_only() -> None:
    document = decoded(value('templatefile("t.tftpl", { x = "one", y = var.two })'))

    assert document["a"] == "one"
    assert isinstance(document["b"], Unknown)
    assert isinstance(value('templatefile("t.tftpl", { x = "one" })'), Unknown)


def test_encoded_json_keeps_its_unknown_leaves() -> None:
    encoded = value("jsonencode({ a = var.x, b = 1 })")

    assert isinstance(encoded, Encoded)
    assert isinstance(encoded.value["a"], Unknown)


TEXTS = st.text(string.printable.replace("\x0b", "").replace("\x0c", ""), max_size=8)
LEAVES = st.none() | st.booleans() | st.integers(0, 10**6) | TEXTS
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3), max_leaves=8
)


def written(plain: Any) -> str:
    if isinstance(plain, str):
        return json.dumps(plain).replace("${", "$${").replace("%{", "%%{")
    if isinstance(plain, list):
        return "[" + ", ".join(map(written, plain)) + "]"
    if isinstance(plain, dict):
        return "{\n" + "\n".join(f"  {written(key)} = {written(one)}" for key, one in plain.items()) + "\n}"
    return json.dumps(plain)


@given(VALUES)
def test_whatever_is_written_is_read_back(plain: Any) -> None:
    assert value(written(plain)) == plain


@given(st.text(alphabet='ab1 ={}[]()"$%\n.,?:-<>!&|/*#', max_size=40))
def test_any_text_is_either_read_or_refused_with_its_line(text: str) -> None:
    """Never another error: a scan that breaks tells nobody where."""
    try:
        arguments = parse(text, "any.tf").body.arguments
    except Unparsable as error:
        arguments, place = {}, str(error)
    else:
        place = "any.tf:1"
    for argument in arguments.values():
        evaluate(argument.expression, Scope(names=Names()))

    assert re.match(r"any\.tf:\d+", place)


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ('a = "x', 1, "never closed"),
        ('a = "x\n"', 1, "ends in its line"),
        ("a = 1 b = 2", 1, "expected a new line"),
        ("a = 1\na = 2", 2, "set twice"),
        ("b {\n  a = 1\n", 3, "never closed"),
        ("b {\n  a = [1, 2\n}", 3, "expected ']'"),
        ("a = {\n  b = 1 c = 2\n}", 2, "expected a comma"),
        ("a = <<EOT\nx\n", 1, "never closed"),
        ("/* a", 1, "never closed"),
        ("a =\n", 1, "expected a name"),
        ("a = [for x of y : x]", 1, "expected 'in'"),
        ('a = "\\q"', 1, "is no escape"),
        ('b "${x}" {}', 1, "plain text"),
        ("a = " + "(" * 300, 1, "too deeply"),
        ("}", 1, "expected a name"),
    ],
)
def test_what_is_no_terraform_is_refused_with_its_place(text: str, line: int, what: str) -> None:
    with pytest.raises(Unparsable, match=what) as caught:
        parse(text, "main.tf")

    assert caught.value.line == line


@pytest.mark.parametrize("expression", ["!" * 5000 + "true", " + ".join(["1"] * 5000), "[" * 30 + "1" + "]" * 30])
def test_no_depth_breaks_the_reader(expression: str) -> None:
    try:
        answer = value(expression)
    except Unparsable as error:
        answer = Unknown(str(error))

    assert isinstance(answer, Unknown | list | int)


def test_comments_are_kept_with_their_lines() -> None:
    file = parse("# one\na = 1 // two\n/* three\n*/\nb = 2\n", "main.tf")

    assert [(one.text, one.line) for one in file.comments] == [("one", 1), ("two", 2), ("three", 3)]
