"""Stands before a control plane and keeps what Terraform changes there, in a form that is the same the next time.

Left out are questions, calls that were refused, presigned addresses, and the content of the state, which holds every
secret of the environment (that it was written, and locked while it was, is kept). Made the same are the order of what
has none (tags and the like) and the made-up tokens of idempotent calls. Values that must not stand in a file are named.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from typing import Any

from sandbox.cloud.operations import is_mutating
from sandbox.cloud.server import call
from sandbox.recorded.requests import FORM, TEXT, Application, Request, read_environ
from sandbox.recorded.seeds import Seeds

# What Terraform makes up: names with the time and a counter, and random UUIDs.
_MADE_UP = re.compile(r"\b(?P<prefix>terraform-|tf)\d{18}[0-9a-f]{8}\b")
_UUID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
# One of a form's numbered pairs: a tag, an attribute, a dimension.
_PAIR = re.compile(r"(?P<list>.+\.)(?P<number>\d+)\.(?P<member>Key|Name|Value)")
_XML_TAG = re.compile(r"<Tag><Key>[^<]*</Key><Value>[^<]*</Value></Tag>")
_XML_TAGS = re.compile(rf"(?:{_XML_TAG.pattern}){{2,}}")
_PRESIGNED = "PreSignedUrl"  # of a replica in another region: a signature and a time


Lock = AbstractContextManager[Any]


class Recorder:
    """WSGI. Answers as the application behind it does, with ids that follow from the requests."""

    def __init__(self, application: Application, lock: Lock, *, state: str, values: Mapping[str, str]) -> None:
        """`lock` is the application's own: with it nobody else draws an id between seed and call. `state` is the path
        (/bucket/key) below which Terraform keeps its state and the lock of it; `values` are those that must not be
        kept, by the placeholder that stands for each."""
        self._application = application
        self._state = state
        self._values = values
        self._seeds = Seeds()
        self._tokens = _Tokens()
        self._kept: list[Request] = []
        self._lock = lock

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        body = environ["wsgi.input"].read()
        environ["wsgi.input"] = io.BytesIO(body)
        with self._lock:
            request = self._tokens.settled(self._tidy(read_environ(environ, body)).with_names(self._values))
            self._seeds.plant(request)
            status, headers, answer = call(self._application, environ)
            self._tokens.heard(answer)
            self._keep(request, done=status.startswith("2"))
        start_response(status, headers)
        return [answer]

    def requests(self) -> Sequence[Request]:
        """What was kept so far, in order of arrival."""
        with self._lock:
            return tuple(self._kept)

    def _keep(self, request: Request, *, done: bool) -> None:
        if not done:
            self._seeds.take_back(request)
        elif changes_something(request) and not (self._is_state(request) and request in self._kept):
            self._kept.append(request)

    def _tidy(self, request: Request) -> Request:
        if self._is_state(request):
            return replace(request, kind=TEXT, body="")
        if request.kind == FORM:
            return replace(request, body=_form_in_order(request.body))
        return replace(request, body=_in_order(request.body))

    def _is_state(self, request: Request) -> bool:
        return request.path.startswith(self._state)


class _Tokens:
    """Made-up names and UUIDs of the caller, each with what stands for it in the recording."""

    def __init__(self) -> None:
        self._known: dict[str, str] = {}
        self._answered: set[str] = set()  # UUIDs that the account made; those are ids, and stay

    def heard(self, answer: bytes) -> None:
        self._answered.update(_UUID.findall(answer.decode(errors="replace")))

    def settled(self, request: Request) -> Request:
        """The request with a token for each made-up name, the same as long as the rest of the request is."""
        line = request.line()
        made_up = [*dict.fromkeys(found.group() for found in _MADE_UP.finditer(line))]
        made_up += [one for one in dict.fromkeys(_UUID.findall(line)) if one not in self._answered]
        made_up = [one for one in made_up if one not in self._known.values()]
        blank = line
        for name in made_up:
            blank = blank.replace(name, "")
        digest = hashlib.sha256(blank.encode()).hexdigest()
        for number, name in enumerate(made_up):
            self._known.setdefault(name, _token(name, f"{number:02x}{digest}"))
        return request.with_values(self._known)


def _token(name: str, digest: str) -> str:
    if found := _MADE_UP.fullmatch(name):
        return f"{found['prefix']}{digest[:26]}"
    return "-".join((digest[:8], digest[8:12], f"4{digest[12:15]}", f"8{digest[15:18]}", digest[18:30]))


def changes_something(request: Request) -> bool:
    """Whether a request is more than a question, told as for the operation log; X-Ray's are POST /<Operation>."""
    return request.method not in ("GET", "HEAD") and is_mutating(request.operation.rsplit("/", 1)[-1])


def _form_in_order(form: Mapping[str, str]) -> dict[str, str]:
    """Terraform keeps tags, attributes and dimensions in maps without an order; AWS keeps none either."""
    pairs: dict[str, dict[str, dict[str, str]]] = {}  # by list and number
    for name, value in form.items():
        if found := _PAIR.fullmatch(name):
            pairs.setdefault(found["list"], {}).setdefault(found["number"], {})[found["member"]] = value
    kept = {name: value for name, value in form.items() if not _PAIR.fullmatch(name) and name != _PRESIGNED}
    for more in [one for one in pairs if any(re.match(rf"{re.escape(one)}\d", name) for name in kept)]:
        kept |= {name: value for name, value in form.items() if _PAIR.fullmatch(name) and name.startswith(more)}
        del pairs[more]  # its members hold more than a pair, and may have an order
    ordered = {
        f"{name}{number}.{member}": value
        for name, members in pairs.items()
        for number, pair in enumerate(sorted(members.values(), key=_first), 1)
        for member, value in pair.items()
    }
    return dict(sorted({**kept, **ordered}.items()))


def _in_order(value: Any) -> Any:
    """A JSON document or an XML text: members of an object and tags have no order, other lists keep theirs."""
    if isinstance(value, str):
        return _XML_TAGS.sub(lambda found: "".join(sorted(_XML_TAG.findall(found.group()))), value)
    if isinstance(value, Mapping):
        return {name: _in_order(item) for name, item in sorted(value.items())}
    if isinstance(value, list):
        members = [_in_order(item) for item in value]
        return sorted(members, key=_first) if all(_is_tag(one) for one in members) else members
    return value


def _is_tag(value: Any) -> bool:
    return isinstance(value, Mapping) and {name.lower().removeprefix("tag") for name in value} == {"key", "value"}


def _first(pair: Mapping[str, str]) -> str:
    """The key or the name of a pair: of its members the first one by the alphabet."""
    return str(pair[min(pair)])
