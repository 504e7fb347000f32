"""A Terraform plan as two files: the saved plan that is applied, and the JSON that `terraform show -json` makes of it.

The saved plan is a ZIP file; its parts are named in Terraform's internal/plans/planfile. Only what is needed to say
which plan it is gets read: the state that it starts from and the providers it was made with. What it changes is read
from the JSON, which is a documented format (version 1.x). Values of attributes are never kept: they hold secrets.
"""

from __future__ import annotations

import hashlib
import io
import posixpath
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from probes.stateful import what_is_lost
from probes.strict_json import Fields, Unparsable, parse

SAVED_BYTES_MAX = SHOWN_BYTES_MAX = 64 * 1024 * 1024
_MEMBERS_MAX, _CHANGES_MAX, _DEPTH_MAX = 20_000, 50_000, 100
_STATE, _PLAN, _LOCK = "tfstate", "tfplan", ".terraform.lock.hcl"
_LOCK_BYTES_MAX = 1024 * 1024
# The configuration that a plan was made of lies in it: internal/plans/planfile/config_snapshot.go.
_CODE, _MODULE, _CODE_MODULES = "tfconfig/", "m-", "tfconfig/modules.json"
# What reading a damaged ZIP file raises, by zipfile and the decompressors behind it.
_ZIP_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)
# JSON format of Terraform, "Change Representation", with "forget" since 1.7.
_ACTIONS = frozenset({"no-op", "create", "read", "update", "delete", "forget"})


@dataclass(frozen=True, kw_only=True)
class State:
    """Which state it is: `lineage` names the chain of states ("" before the first), `serial` counts in it."""

    lineage: str
    serial: int

    def __str__(self) -> str:
        return f"state {self.lineage[:8] or 'none yet'} no. {self.serial}"


NO_STATE = State(lineage="", serial=0)  # before the first apply; `terraform state pull` prints nothing then


@dataclass(frozen=True, kw_only=True)
class SavedPlan:
    """A saved plan: SHA-256 of its file, of the providers it was made with, and the state that it changes.

    `code`: SHA-256 of every file of the configuration that it was made of, by its path from the root module.
    """

    sha256: str
    lock_sha256: str
    state: State
    code: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Change:
    """What is to happen to one resource; `deposed` is the key of an object that a failed replacement left behind."""

    address: str
    type: str
    actions: tuple[str, ...]
    deposed: str = ""

    @property
    def removes(self) -> bool:
        """Whether the object that there is now will be gone, or no longer be looked after."""
        return "delete" in self.actions or "forget" in self.actions

    @property
    def loses(self) -> str:
        """What is lost by it; "" when nothing is."""
        return what_is_lost(self.type) if self.removes else ""

    @property
    def verb(self) -> str:
        """For a sentence."""
        if "forget" in self.actions:
            return "forgets"
        return "replaces" if "create" in self.actions else "destroys"


@dataclass(frozen=True, kw_only=True)
class ShownPlan:
    """The JSON of a plan: its SHA-256 and the changes of managed resources that it holds, without those to nothing.

    `whole` is false when Terraform itself says that the plan failed or leaves something for later.
    """

    sha256: str
    changes: tuple[Change, ...]
    whole: bool = True

    @property
    def losses(self) -> tuple[Change, ...]:
        """Changes that lose something that cannot be made again."""
        return tuple(change for change in self.changes if change.loses)


def read_saved_plan(raw: bytes) -> SavedPlan:
    """The saved plan in the bytes of its file. Raises probes.strict_json.Unparsable."""
    if len(raw) > SAVED_BYTES_MAX:
        raise Unparsable(f"the saved plan is larger than {SAVED_BYTES_MAX} bytes")
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as archive:
            _demand_members(archive)
            state = _member(archive, _STATE, SAVED_BYTES_MAX)
            lock = _member(archive, _LOCK, _LOCK_BYTES_MAX)
            code = _code(archive)
    except Unparsable:
        raise
    except _ZIP_ERRORS as error:
        raise Unparsable(f"no saved plan of Terraform: {str(error)[:200]}") from None
    sha256 = hashlib.sha256(raw).hexdigest()
    return SavedPlan(sha256=sha256, lock_sha256=lock_digest(lock), state=read_state(state), code=code)


def _demand_members(archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    if len(names) > _MEMBERS_MAX:
        raise Unparsable(f"the saved plan has {len(names)} parts, more than {_MEMBERS_MAX}")
    for name in (_PLAN, _STATE, _LOCK):
        if names.count(name) != 1:
            raise Unparsable(f"the saved plan has {names.count(name)} parts {name} instead of one")


def _code(archive: zipfile.ZipFile) -> dict[str, str]:
    """SHA-256 of the configuration's files by their paths from the root module (`../../modules/compute/main.tf`).

    The sum of their sizes is bounded by what was read, not by what the table of contents claims."""
    names = [name for name in archive.namelist() if name.startswith(_CODE + _MODULE)]
    if not names:
        return {}
    if _CODE_MODULES not in archive.namelist():
        raise Unparsable(f"the saved plan has modules, but no {_CODE_MODULES} that says where they are")
    rows = parse(_member(archive, _CODE_MODULES, _LOCK_BYTES_MAX), bytes_max=_LOCK_BYTES_MAX)
    modules = [Fields(row, "module") for row in (rows if isinstance(rows, list) else ())]
    places = {one.text("Key", r".{0,200}"): one.text("Dir", r".{1,300}") for one in modules}
    found: dict[str, str] = {}
    rest = SAVED_BYTES_MAX
    for name in names:
        key, _, file = name.removeprefix(_CODE + _MODULE).partition("/")
        if key not in places:
            raise Unparsable(f"{name} of the saved plan belongs to no module that it lists")
        content = _member(archive, name, rest)
        rest -= len(content)
        found[posixpath.normpath(f"{places[key]}/{file}")] = hashlib.sha256(content).hexdigest()
    return found


def _member(archive: zipfile.ZipFile, name: str, bytes_max: int) -> bytes:
    """A part, never unpacked further than allowed: its size in the table of contents is only a claim."""
    with archive.open(name) as stream:
        content = stream.read(bytes_max + 1)
    if len(content) > bytes_max:
        raise Unparsable(f"{name} of the saved plan is larger than {bytes_max} bytes")
    return content


def read_state(raw: bytes) -> State:
    """Which state the bytes of a state file are. Raises probes.strict_json.Unparsable."""
    fields = Fields(parse(raw, bytes_max=SAVED_BYTES_MAX, depth_max=_DEPTH_MAX), "state")
    return State(lineage=fields.text("lineage", r".{0,100}"), serial=fields.integer("serial", low=0, high=2**63))


def lock_digest(raw: bytes) -> str:
    """SHA-256 of what a provider lock file says: comments and blank lines apart, which Terraform writes anew."""
    lines = [line.strip() for line in raw.splitlines()]
    return hashlib.sha256(b"\n".join(line for line in lines if line and not line.startswith(b"#"))).hexdigest()


def read_shown_plan(raw: bytes) -> ShownPlan:
    """The plan in the bytes of its JSON. Raises probes.strict_json.Unparsable.

    Keys that are not known are left alone: the format says that later minor versions may add some.
    """
    fields = Fields(parse(raw, bytes_max=SHOWN_BYTES_MAX, depth_max=_DEPTH_MAX), "plan")
    fields.text("format_version", r"1\.[0-9]{1,3}")
    entries = fields.each("resource_changes", most=_CHANGES_MAX) if fields.has("resource_changes") else ()
    changes = [change for entry in entries if (change := _change(entry)) is not None]
    deferred = fields.has("deferred_changes") and bool(fields.array("deferred_changes", most=_CHANGES_MAX))
    errored = fields.has("errored") and fields.flag("errored")
    complete = not fields.has("complete") or fields.flag("complete")
    return ShownPlan(
        sha256=hashlib.sha256(raw).hexdigest(),
        changes=tuple(changes),
        whole=complete and not errored and not deferred,
    )


def _change(fields: Fields) -> Change | None:
    """A change of a managed resource, None for one that changes nothing."""
    mode = fields.text("mode", "managed|data")
    actions = fields.fields("change").texts("actions", most=2)
    if not actions or not _ACTIONS.issuperset(actions):
        raise fields.refusal("change.actions", actions)
    if mode == "data" or actions == ("no-op",):
        return None
    return Change(
        address=fields.text("address"),
        type=fields.text("type", r"[a-z0-9_-]{1,200}"),
        actions=actions,
        deposed=fields.text("deposed", r"[0-9a-f]{1,32}") if fields.has("deposed") else "",
    )
