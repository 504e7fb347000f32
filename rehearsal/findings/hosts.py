"""IAC-03: what the roles write for hosts that Fargate does not cover, and what hosts said that were configured by them.

Configuring a host takes root and minutes, so it is no part of a run: `make hosts` leaves a report of it. What a role
writes can be rendered anywhere, with the role's own defaults.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from jinja2 import ChainableUndefined, Environment, FileSystemLoader, TemplateError

from evidence.verdicts import SANDBOX
from probes.host_limits import limits_of
from probes.host_report import INPUTS, judge_report, place_of
from probes.question import Question
from probes.tree import tree_digest
from rollout.model import Basis, Observation, Verdict

# The templates that set a limit of open files, each with the role that has it.
TEMPLATES = (
    ("base", "limits.conf.j2"),
    ("base", "system.conf.j2"),
    ("load_generator", "locust-worker.service.j2"),
    ("runner", "runner.service.j2"),
)
_DEFAULT = re.compile(r"^(\w+): (.+)$", re.MULTILINE)
_LIMIT = re.compile(r"^(?:Default)?LimitNOFILE=(.*)$", re.MULTILINE)
_USERS = ("*", "root")


def written_limits(code: Path, minimum: int) -> tuple[Observation, ...]:
    """`hosts.written.<role>.<file>`: open files that logins and services may have, as the roles write them."""
    roles = code / "ansible" / "roles"
    return tuple(_written(roles / role, template, minimum=minimum) for role, template in TEMPLATES)


def _written(role: Path, template: str, *, minimum: int) -> Observation:
    question = Question(
        name=f"hosts.written.{role.name}.{template.removesuffix('.j2')}",
        rule="enough open files are allowed",
        source=f"roles/{role.name}/templates/{template} with the role's defaults",
        limit=minimum,
        unit="files",
        basis=Basis.ARTEFACT,
    )
    try:
        limits = list(_limits(rendered(role, template)))
    except (OSError, TemplateError, ValueError) as error:
        return question.source_error(f"what {role.name} writes cannot be rendered: {error}")
    if not limits:
        return question.failed(None, f"{template} sets no limit of open files, which leaves the system's 1024")
    low = [f"{who} may open {count} files" for who, count in limits if count < minimum]
    said = "; ".join(low) if low else ", ".join(f"{who} {count}" for who, count in limits)
    least = min(count for _, count in limits)
    return (question.failed if low else question.passed)(least, f"{said}; {minimum} are needed", n=len(limits))


def rendered(role: Path, template: str) -> str:
    """A template with its role's plain defaults; what only an inventory knows stays empty."""
    defaults = (role / "defaults" / "main.yml").read_text(encoding="utf-8")
    environment = Environment(
        loader=FileSystemLoader(role / "templates"), undefined=ChainableUndefined, autoescape=False
    )
    return environment.get_template(template).render(_plain(defaults))


def _plain(defaults: str) -> Mapping[str, str]:
    return {name: value.strip().strip('"') for name, value in _DEFAULT.findall(defaults)}


def _limits(text: str) -> Iterator[tuple[str, int]]:
    """(who, open files) for each limit that a rendered file sets. Raises ValueError for one that is no number."""
    if "nofile" in text:
        yield from ((f"a login as {user}", limits_of(text, user).least) for user in _USERS)
    yield from (("a service", int(value)) for value in _LIMIT.findall(text))


def verified(root: Path, environment: str) -> tuple[Observation, ...]:
    """`hosts.report` and what it holds: hosts that were configured twice by the playbooks of this very tree, and asked.

    Without a report NO_DATA; in the sandbox, which has no host of its own, NOT_APPLICABLE.
    """
    digest = tree_digest(root, INPUTS)
    path = place_of(root, digest)
    if environment == SANDBOX and not path.is_file():
        question = Question(
            name="hosts.report", rule="the environment's hosts are configured", source=environment, basis=Basis.ARTEFACT
        )
        message = (
            f"the {environment} has no hosts: loads and runners are processes of this machine. `make hosts`, as root, "
            "configures throw-away ones by these playbooks, and this scenario then reads what they said"
        )
        return (question.answer(Verdict.NOT_APPLICABLE, None, message=message),)
    raw = path.read_bytes() if path.is_file() else None
    return judge_report(raw, tree_sha256=digest, now=datetime.now(UTC), source=str(path.relative_to(root)))
