"""Who asks: the name that the journal keeps beside an operator's request."""

from __future__ import annotations

import getpass
import os
import re
import socket
from collections.abc import Mapping

from rollout.errors import BadInput

_CI_ACTORS = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")
_NAME_MAX, _REASON_MAX = 100, 500


def who(variables: Mapping[str, str]) -> str:
    """The forge's actor in a CI job, else user@host. A claim, not a proof: proof is who may write the state table."""
    actor = next((variables[name] for name in _CI_ACTORS if variables.get(name)), "") or f"{_user()}@{_host()}"
    return re.sub(r"[^\w.@/\[\]-]", "_", actor)[:_NAME_MAX]


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container's user without an entry
        return f"uid-{os.getuid()}"


def _host() -> str:
    return socket.gethostname()


def checked_reason(reason: str) -> str:
    """One printable line that says something. Raises BadInput."""
    text = " ".join(reason.split())
    if not text or len(text) > _REASON_MAX or not text.isprintable():
        raise BadInput(
            "the reason is empty, too long or not printable",
            hint=f"Say in up to {_REASON_MAX} characters why; it is kept in the journal.",
        )
    return text
