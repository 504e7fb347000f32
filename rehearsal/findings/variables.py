"""IAC-04: variables that say what they take, and addresses that nobody copied by hand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from policies.hcl.files import Directory
from policies.hcl.syntax import Block, Name, Template
from rehearsal.findings.layout import Layout, answered, parsed, question_of
from rollout.errors import BadInput
from rollout.model import Observation
from rollout.plan_file import read_release_file

_DESCRIPTION_CHARACTERS_MIN = 5
# What names one resource of one account. AWS's own policies (arn:aws:iam::aws:...) are the same everywhere.
_ADDRESS = re.compile(
    r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:\d{12}:[^\s\"',]+"
    r"|\b(?:vpc|subnet|sg|rtb|igw|nat|eni|acl|vpce|eipalloc)-[0-9a-f]{8,17}\b"
)
# What an apply left there is a record: its addresses are those that were, and nothing is found by them.
_RECORDS = "recorded"
_READ = (".tf", ".tfvars", ".hcl", ".json", ".tftpl")


def say_what_they_take(layout: Layout) -> tuple[Observation, ...]:
    """`code.variables`: every variable of environments and modules has a type, a description and bounds.

    A boolean has its bounds by its type; every other one has them by a validation.
    """
    seen: list[str] = []
    wrong: list[str] = []
    for directory, block in _blocks(layout, "variable"):
        name = f"{layout.library.shown(directory.path)} {block.labels[0]}"
        seen.append(name)
        lacking = ", ".join(_lacks(block))
        wrong += [f"{name} lacks {lacking}"] if lacking else []
    question = question_of("variables", "every variable has a type, a description and bounds")
    return parsed(layout), answered(question, seen, wrong)


def _blocks(layout: Layout, kind: str) -> Iterator[tuple[Directory, Block]]:
    return ((directory, block) for directory in layout.directories() for block in directory.blocks(kind))


def _lacks(block: Block) -> Iterator[str]:
    kind = block.body.arguments.get("type")
    if kind is None:
        yield "a type"
    if not _is_described(block):
        yield "a description"
    if not (kind is not None and kind.expression == Name("bool")) and not any(block.body.of("validation")):
        yield "bounds"


def _is_described(block: Block) -> bool:
    argument = block.body.arguments.get("description")
    text = argument.expression if argument else None
    words = "".join(str(part) for part in text.parts) if isinstance(text, Template) else ""
    return len(words) >= _DESCRIPTION_CHARACTERS_MIN


def outputs_described(layout: Layout) -> tuple[Observation, ...]:
    """`code.outputs`: every output says what it is."""
    seen: list[str] = []
    wrong: list[str] = []
    for directory, block in _blocks(layout, "output"):
        name = f"{layout.library.shown(directory.path)} {block.labels[0]}"
        seen.append(name)
        wrong += [] if _is_described(block) else [f"{name} lacks a description"]
    return (answered(question_of("outputs", "every output has a description"), seen, wrong),)


def no_address_by_hand(layout: Layout, release_file: Path) -> tuple[Observation, ...]:
    """`code.addresses`: no file of the code, and not release.toml, holds the ARN or id of an account's resource."""
    files = [release_file, *sorted(path for path in layout.code.rglob("*") if _is_read(path, layout.code))]
    seen: list[str] = []
    wrong: list[str] = []
    for path in files:
        seen.append(layout.library.shown(path.resolve()))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            wrong += [f"{seen[-1]}:{number} copies {match.group()}" for match in _ADDRESS.finditer(line)]
    question = question_of("addresses", "no address of a resource is written by hand: it would be stale one day")
    return (answered(question, seen, wrong),)


def _is_read(path: Path, code: Path) -> bool:
    inside = path.relative_to(code).parts
    return path.suffix in _READ and path.is_file() and ".terraform" not in inside and inside[0] != _RECORDS


def engine_reads_outputs(release_file: Path) -> tuple[Observation, ...]:
    """`code.settings`: release.toml, which refuses every other key, names for each environment the outputs to read."""
    question = question_of("settings", "each environment's settings come from its outputs", source=release_file.name)
    try:
        environments = read_release_file(release_file).environments
    except BadInput as error:
        return (question.failed(None, str(error)),)
    return (answered(question, (f"{name} {one.outputs}" for name, one in environments.items()), ()),)
