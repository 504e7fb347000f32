"""What the documents say exists: the drawn states, the commands of make, the paths, the controls of the features."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

from gherkin.parser import Parser
from house import ROOT, Finding, demand_none, files, text

TARGET = re.compile(r"^([a-z][a-z-]*):(?!=)", re.MULTILINE)
# `make lint`, also at the start of a line of an example; "make sure" in a sentence is none.
COMMAND = re.compile(r"(?:^ {4}|`)make ([a-z][a-z-]*)\b", re.MULTILINE)
LINK = re.compile(r"\[[^\]]+\]\(([^)#\s]+)(?:#[^)]*)?\)")
CONTROL = re.compile(r"[A-Z]+(?:-[A-Z]+)*-\d{2}")


def pages() -> list[str]:
    return [path for path in files() if path.endswith(".md")]


def targets() -> set[str]:
    return set(TARGET.findall(text("Makefile")))


def test_the_drawn_states_are_the_table() -> None:
    drawn = subprocess.run(
        [sys.executable, "docs/draw_states.py", "--check"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert drawn.returncode == 0, (
        f"docs/architecture.md: run `python docs/draw_states.py`.\n{drawn.stdout}{drawn.stderr}"
    )


def test_a_target_that_is_named_exists() -> None:
    """In every page, and in every sentence of the code that tells somebody what to type."""
    demand_none(
        Finding(path, text(path)[: match.start()].count("\n") + 1, f"names `make {match[1]}`", "The Makefile has none.")
        for path in files()
        if path.endswith((".md", ".py", ".toml", ".feature", ".sh"))
        for match in COMMAND.finditer(text(path))
        if match[1] not in targets()
    )


def test_every_target_is_helped_with_and_phony() -> None:
    """`make help` reads the `##` of each target; the stamps are files and no targets of a person."""
    helped = set(re.findall(r"^([a-z][a-z-]*):.*## \S", text("Makefile"), re.MULTILINE))
    phony = re.search(r"^\.PHONY: (.+)$", text("Makefile"), re.MULTILINE)

    assert phony is not None
    assert set(phony[1].split()) == targets() == helped


def test_what_help_prints_is_what_there_is() -> None:
    printed = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert {line.split()[1] for line in printed.splitlines()} == targets()


def test_a_link_leads_somewhere() -> None:
    demand_none(
        Finding(path, number, f"links to {place}", "There is no such file; mend the link.")
        for path in pages()
        for number, line in enumerate(text(path).splitlines(), 1)
        for place in LINK.findall(line)
        if "://" not in place and not (ROOT / Path(path).parent / place).exists()
    )


def test_every_tag_that_looks_like_a_control_is_one() -> None:
    """Read by Gherkin's own parser: of features, rules, scenarios and their examples."""
    with (ROOT / "features/controls.toml").open("rb") as file:
        known = {entry["id"] for entry in tomllib.load(file)["control"]}
    demand_none(
        Finding(path, line, f"{tag} is not in the register", "Add it to features/controls.toml, or mend the tag.")
        for path in files()
        if path.startswith("features/") and path.endswith(".feature")
        for line, tag in tags(Parser().parse(text(path)))
        if CONTROL.fullmatch(tag.upper()) and tag not in known
    )


def tags(node: object) -> Iterator[tuple[int, str]]:
    """(line, name without @) of every tag below a parsed node."""
    if isinstance(node, list):
        for one in node:
            yield from tags(one)
    elif isinstance(node, dict):
        for tag in node.get("tags", ()):
            yield tag["location"]["line"], tag["name"].removeprefix("@")
        for key, value in node.items():
            if key != "tags":
                yield from tags(value)


def test_every_control_of_a_sentence_is_registered() -> None:
    """Controls named in the documents and the features' texts: a mistyped one would never be missed."""
    with (ROOT / "features/controls.toml").open("rb") as file:
        known = {entry["id"] for entry in tomllib.load(file)["control"]}
    families = {name.rsplit("-", 1)[0] for name in known}
    demand_none(
        Finding(path, number, f"names {name}", "No control has that name.")
        for path in files()
        if path.endswith((".md", ".feature"))
        for number, line in enumerate(text(path).splitlines(), 1)
        for name in re.findall(r"(?<![\w-])[A-Z]+(?:-[A-Z]+)*-\d{2}(?![\w-])", line)
        if name.rsplit("-", 1)[0] in families and name not in known
    )
