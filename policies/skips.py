"""Comments that ask checkov to look away. They do nothing here; each is reported, and needs an entry of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from policies.hcl.files import Library

# checkov.common.comment.enum: "checkov:skip=ID:reason", also spelt "bridgecrew:skip" and "cortex:skip".
_SKIP = re.compile(r"(?:checkov|bridgecrew|cortex):skip\s*=\s*([A-Z0-9_]+)\s*:?\s*(.*)", re.IGNORECASE)


@dataclass(frozen=True)
class Skip:
    """A comment at a line of a file that asks to skip a policy."""

    policy: str
    file: str
    line: int
    reason: str


def inline_skips(library: Library) -> Iterator[Skip]:
    """Every skip comment in every file that was read."""
    for directory in library.directories.values():
        for file in directory.files:
            for comment in file.comments:
                match = _SKIP.search(comment.text)
                if match:
                    yield Skip(match.group(1).upper(), file.path, comment.line, match.group(2).strip())
