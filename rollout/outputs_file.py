"""Reads an environment's outputs file (the shape of `terraform output -json`) into a Target.

Each output is {"value": ...}, other members are ignored. Unknown outputs are ignored too: infrastructure may say more
than the engine needs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rollout.errors import BadInput
from rollout.target import Target
from rollout.toml_reader import BYTES_MAX, BadFile, Problem, shown

_SLOTS = ("blue", "green")
_TEXTS = (
    "region",
    "account_id",
    "load_balancer_arn",
    "listener_arn",
    "cluster_name",
    "task_definition_family",
    "container_name",
    "image_repository",
    "state_table",
    "alert_topic_arn",
    "public_host",
)
_OPTIONAL_TEXTS = {
    "rule_arn": "",
    "hosted_zone_id": "",
    "test_header_name": "",
    "test_header_value": "",
    "certificate_arn": "",
    "heartbeat_namespace": "ReleaseGates",
    "aws_endpoint_url": None,
    "ca_file": None,
    "clock_file": None,
    "dns_server": None,
}
_SECRET = frozenset({"test_header_value"})
_DIGEST = r"sha256:[0-9a-f]{64}"


@dataclass(frozen=True, kw_only=True)
class Outputs:
    """A target, and the images by version name that its outputs list (the sandbox does)."""

    target: Target
    images: Mapping[str, str] = field(default_factory=dict)

    def image(self, *, image: str, version: str) -> str:
        """The full name of the image by digest. Raises BadInput for a tag, or a version that is not listed."""
        wanted = image or self.images.get(version, "")
        if not wanted:
            listed = ", ".join(sorted(self.images)) or "none"
            hint = f"Name the image with --image, or one of the versions that the outputs list: {listed}."
            raise BadInput(f"which image is version {version!r} is not known", hint=hint)
        if re.fullmatch(r"[0-9a-f]{64}", wanted):
            wanted = f"sha256:{wanted}"
        if re.fullmatch(_DIGEST, wanted):
            return f"{self.target.image_repository}@{wanted}"
        if re.fullmatch(rf"[^@\s]+@{_DIGEST}", wanted):
            return wanted
        hint = "Name it by digest: repository@sha256:<64 hexadecimal digits>, or sha256:<...> alone."
        raise BadInput(f"{shown(wanted)} is no image by digest; a tag can change its meaning", hint=hint)


class _Reader:
    def __init__(self, document: Mapping[str, Any]) -> None:
        self.problems: list[Problem] = []
        self._document = document

    def value(self, name: str, kind: type, said: str, *, default: Any = ...) -> Any:
        entry = self._document.get(name)
        value = entry.get("value") if isinstance(entry, Mapping) else None
        if value is None and default is not ...:
            return default
        if not isinstance(value, kind) or value == "":
            what = "is missing" if value is None else "is not allowed" if name in _SECRET else f"{shown(value)} is not"
            self._refuse(name, what, said)
            return "" if kind is str else kind()
        return value

    def by_slot(self, name: str, *, default: Any = ...) -> dict[str, str]:
        value = self.value(name, dict, "an object with blue and green", default=default)
        wrong = [slot for slot in _SLOTS if value and not isinstance(value.get(slot), str)]
        if wrong:
            self._refuse(name, f"has no text for {' and '.join(wrong)}", "an object with blue and green")
        return {slot: str(value.get(slot, "")) for slot in _SLOTS} if value else {}

    def _refuse(self, name: str, what: str, allowed: str) -> None:
        remedy = "Write the file anew with `terraform output -json`, or `python -m sandbox up` for the sandbox."
        self.problems.append(Problem(key=f"{name}.value", what=what, allowed=allowed, remedy=remedy))


def read_outputs(path: Path, *, environment: str) -> Outputs:
    """The target of `environment`. Raises BadInput when the file is missing, BadFile naming every wrong output."""
    reader = _Reader(_read_json(path, environment))
    values: dict[str, Any] = {name: reader.value(name, str, "a text") for name in _TEXTS}
    values |= {name: reader.value(name, str, "a text", default=d) for name, d in _OPTIONAL_TEXTS.items()}
    connect_to = reader.value("connect_to", list, 'an array of "host:port:address:port"', default=[])
    images = reader.value("images", dict, "an object: digest by version", default={})
    target = Target(
        environment=environment,
        target_group_arns=reader.by_slot("target_group_arns"),
        service_names=reader.by_slot("service_names"),
        test_hosts=reader.by_slot("test_hosts", default={}),
        connect_to=tuple(str(entry) for entry in connect_to),
        **values,
    )
    if reader.problems:
        raise BadFile(str(path), reader.problems)
    return Outputs(target=target, images={str(name): str(digest) for name, digest in images.items()})


def _read_json(path: Path, environment: str) -> Mapping[str, Any]:
    start = (
        "Start the sandbox with `python -m sandbox up`."
        if environment == "sandbox"
        else "Write it with `terraform output -json`, or name another one with --outputs."
    )
    if not path.is_file():
        raise BadInput(f"the outputs file of environment {environment} does not exist", target=str(path), hint=start)
    try:
        with path.open("rb") as stream:
            raw = stream.read(BYTES_MAX + 1)
        if len(raw) > BYTES_MAX:
            raise BadInput(f"the outputs file is larger than {BYTES_MAX // 1024} KiB", target=str(path), hint=start)
        document = json.loads(raw)
    except OSError as error:
        raise BadInput(f"the outputs file cannot be read: {error.strerror}", target=str(path), hint=start) from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"the outputs file is not JSON: {error}", target=str(path), hint=start) from None
    if not isinstance(document, Mapping):
        raise BadInput("the outputs file holds no object", target=str(path), hint=start)
    return document
