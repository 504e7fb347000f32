"""Where an environment is, and where it keeps its state: backend.hcl, one `name = "value"` a line."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent
_POLICIES = Path("rollout") / "policies"  # of the engine's roles; modules/release reads them
ENVIRONMENTS = ("production", "staging", "development")
_LINE = re.compile(r'(?P<name>[a-z_]+)\s*=\s*"(?P<value>[^"]+)"')


class BackendError(ValueError):
    """The backend file is missing or says something that is not understood; the message names the line."""


@dataclass(frozen=True, kw_only=True)
class Backend:
    """Where an environment keeps its state; `kms_key_id` is the alias of the key that encrypts it."""

    bucket: str
    key: str
    region: str
    kms_key_id: str

    @property
    def account_id(self) -> str:
        """The account that owns the bucket: bucket names are the world's, so ours end in it."""
        return self.bucket.rsplit("-", 1)[-1]


def environment_directory(environment: str) -> Path:
    """The root module of an environment. Raises BackendError for an unknown one."""
    if environment not in ENVIRONMENTS:
        raise BackendError(f"{environment!r} is no environment; there are {', '.join(ENVIRONMENTS)}")
    return ROOT / "environments" / environment


def copy_of_environment(environment: str, scratch: Path) -> Path:
    """The root module in a copy of all that it reads, for a try-out: Terraform writes beside what it runs (a state that
    it could not save, for example), which must not be the project's own tree. Raises BackendError."""
    inside = environment_directory(environment).relative_to(ROOT.parent)
    unread = shutil.ignore_patterns(".terraform", "__pycache__", "*.tfstate*", "*.py")
    shutil.copytree(ROOT, scratch / ROOT.name, ignore=unread)
    shutil.copytree(ROOT.parent / _POLICIES, scratch / _POLICIES)
    return scratch / inside


def read_backend(environment: str) -> Backend:
    """Raises BackendError."""
    path = environment_directory(environment) / "backend.hcl"
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise BackendError(f"{path.name} of {environment} cannot be read: {error.strerror}") from error
    return parse_backend(text)


def parse_backend(text: str) -> Backend:
    """Comments and blank lines are left out, anything else has to be one of the four settings, each once."""
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#", 1)[0].strip()
        match = _LINE.fullmatch(content)
        if content and (match is None or match["name"] in found):
            raise BackendError(f'line {number} of the backend file is not one new `name = "value"`: {content!r}')
        if match is not None:
            found[match["name"]] = match["value"]
    wanted = set(Backend.__dataclass_fields__)
    if set(found) != wanted:
        raise BackendError(f"the backend file has to set {', '.join(sorted(wanted))}; it sets {_listed(found)}")
    return Backend(**found)


def _listed(found: Mapping[str, str]) -> str:
    return ", ".join(sorted(found)) or "nothing"
