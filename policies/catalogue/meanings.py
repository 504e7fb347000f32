"""The stored meanings (meanings.toml): written by `refresh`, held against what the checks mean now by `differences`."""

from __future__ import annotations

import json
import re
import subprocess
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from policies.catalogue import meaning
from policies.catalogue.meaning import Meaning, Sources
from policies.catalogue.model import Catalogue, CatalogueError

ROOT = Path(__file__).parents[2]
STORED = Path(__file__).parent / "meanings.toml"
LOCK = ROOT / "requirements" / "policies.lock"
ASKS_CHECKOV = Path(__file__).parent / "checkov_meanings.py"
_CHECKOV_SECONDS = 120
_HEAD = """\
# What every named check meant when a person last agreed to it. Written by `python -m policies.catalogue refresh`;
# a difference is reviewed like any change of policy, never refreshed away.
"""


@dataclass(frozen=True, kw_only=True)
class Stored:
    """Meanings by name of check, and the version of checkov that its own ids were read from."""

    checkov: str
    meanings: Mapping[str, Meaning]


def load(path: Path = STORED) -> Stored:
    """Raises CatalogueError when the file is absent or malformed."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
        found = {name: Meaning(says=one["says"], sha256=one["sha256"]) for name, one in document["meaning"].items()}
        return Stored(checkov=document["checkov"], meanings=found)
    except (OSError, tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise CatalogueError(
            f"{path.name} is unreadable ({error!r}). Run `python -m policies.catalogue refresh`."
        ) from None


def locked_checkov(lock: Path = LOCK) -> str:
    """The version of checkov that the policies' lock names. Raises CatalogueError without one."""
    found = re.search(r"^checkov==(\S+)", lock.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise CatalogueError(f"{lock.name} names no checkov. Resolve the locks anew.")
    return found[1]


def is_ours(name: str) -> bool:
    """A policy of this project, and none of checkov's own."""
    return name.startswith(("CKV_RG_", "CKV2_RG_"))


def present(catalogue: Catalogue, *, root: Path = ROOT) -> dict[str, Meaning]:
    """What every live check and every policy of ours means now. Raises CatalogueError for one that does not exist."""
    sources = Sources(root)
    live = {name: meaning.of_live_check(sources, name) for name in sorted(catalogue.live)}
    return live | {name: meaning.of_rule(sources, name) for name in sorted(catalogue.code) if is_ours(name)}


def from_checkov(catalogue: Catalogue, interpreter: str) -> Stored:
    """What checkov's own ids mean, asked of an interpreter that has checkov.

    Raises CatalogueError when it has none, or does not know an id.
    """
    names = sorted(name for name in catalogue.code if not is_ours(name))
    command = [interpreter, str(ASKS_CHECKOV), *names]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=_CHECKOV_SECONDS, check=False)
    if answer.returncode != 0:
        raise CatalogueError(f"{interpreter} could not ask checkov: {answer.stderr.strip()[-300:]}")
    told = json.loads(answer.stdout)
    return Stored(checkov=told["version"], meanings={name: Meaning(**one) for name, one in told["meanings"].items()})


def differences(catalogue: Catalogue, stored: Stored, now: Mapping[str, Meaning], *, checkov: str) -> tuple[str, ...]:
    """Names without a meaning, meanings without a name, and meanings that changed, as sentences.

    checkov's own ids can be compared in `now` where they were asked for; else they mean what they meant as long as
    `checkov`, the locked version, is the one that was read: the lock pins its files by hash.
    """
    named = catalogue.code | catalogue.live
    found = [f"{name} has no stored meaning" for name in sorted(named - set(stored.meanings))]
    found += [f"{name} has a stored meaning, but no control names it" for name in sorted(set(stored.meanings) - named)]
    for name in sorted(named & set(stored.meanings) & set(now)):
        was, means = stored.meanings[name], now[name]
        if was.says != means.says:
            found.append(f"{name} said {was.says!r} and now says {means.says!r}")
        elif was.sha256 != means.sha256:
            found.append(f"{name} says the same ({means.says!r}), but decides by other code")
    if stored.checkov != checkov:
        found.append(f"checkov's meanings are of {stored.checkov}, the lock has {checkov}")
    return tuple(found)


def text(stored: Stored) -> str:
    """meanings.toml."""
    lines = [_HEAD, f"checkov = {json.dumps(stored.checkov)}"]
    for name, one in sorted(stored.meanings.items()):
        lines += [
            "",
            f'[meaning."{name}"]',
            f"says = {json.dumps(one.says, ensure_ascii=False)}",
            f'sha256 = "{one.sha256}"',
        ]
    return "\n".join(lines) + "\n"
