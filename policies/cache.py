"""One scan per content: keyed by everything that a verdict depends on, shared between processes by a lock on a file."""

from __future__ import annotations

import fcntl
import hashlib
import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from policies.settings import Unusable

_PACKAGE = Path(__file__).parent
# What decides is code and settings; who accepted what (suppressions.toml) is applied afterwards, every time.
_LEFT_OUT = ("examples", "__pycache__", "suppressions.toml", "README.md")
_INPUTS = (".tf", ".tfvars", ".hcl", ".json", ".tftpl", ".tfbackend", ".tofu")
_CALLED = re.compile(r"""^\s*source\s*=\s*"(\.{1,2}/[^"]*)\"""", re.MULTILINE)


def key(sources: tuple[Path, ...], *, plan: Path | None, base: Path, interpreter: str) -> str:
    """SHA-256 over the policies, the interpreter (with checkov's version), the names and the contents of all inputs."""
    whole = hashlib.sha256(interpreter.encode())
    for path in (*_policies(), *_inputs(sources), *([plan] if plan else [])):
        name = path.relative_to(base) if path.is_relative_to(base) else path
        whole.update(f"\0{name}\0".encode())
        whole.update(hashlib.sha256(path.read_bytes()).digest())
    whole.update("\0".join(map(str, (*sources, plan))).encode())
    return whole.hexdigest()


def _policies() -> list[Path]:
    """Every file of this package that a verdict can depend on."""
    return sorted(
        path
        for path in _PACKAGE.rglob("*")
        if path.is_file() and not set(path.relative_to(_PACKAGE).parts) & set(_LEFT_OUT) and path.suffix != ".pyc"
    )


def _inputs(sources: tuple[Path, ...]) -> list[Path]:
    """Files of the roots, and of every directory that a file of theirs may call as a module."""
    waiting, seen, found = [source.resolve() for source in sources], set[Path](), list[Path]()
    while waiting:
        directory = waiting.pop()
        if directory in seen or not directory.is_dir():
            continue
        seen.add(directory)
        for path in sorted(directory.iterdir()):
            if path.is_file() and path.suffix in _INPUTS:
                found.append(path)
                if path.suffix == ".tf":
                    text = path.read_text(encoding="utf-8", errors="replace")
                    waiting += [(directory / name).resolve() for name in _CALLED.findall(text)]
    return sorted(found)


def cached(place: Path, *, base: Path, make: Callable[[Path], None]) -> tuple[dict[str, Any], bool]:
    """The results at `place`, made by `make(place)` where they are missing or a file they read has changed.

    Answers (results, whether they were there already). Only one process makes them; the others wait and read.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    with _locked(place.with_suffix(".lock")):
        results = _read(place, base)
        if results is not None:
            return results, True
        make(place)
        results = _read(place, base)
    if results is None:
        raise Unusable(
            f"the scan left no usable results at {place.name}. Run it again; if it stays, remove build/policies."
        )
    return results, False


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read(place: Path, base: Path) -> dict[str, Any] | None:
    """The stored results, None where they are missing, torn, or older than a file that they read."""
    try:
        results: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        read = results["read"].items()
    except (OSError, ValueError, KeyError):
        return None
    return results if all(_digest(base / name) == digest for name, digest in read) else None


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
