"""What may stand in evidence: only fields of the schema, and no text that looks like a secret.

Numbers, booleans and null pass. Text inside a structured value passes under a name on the allow-list; every text is
searched for credentials and cut. Applied before anything is written or hashed.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

TEXT_CHARACTERS_MAX = 2000
HIDDEN = "[redacted]"

OBSERVATION_FIELDS = (
    *("name", "value", "limit", "unit", "rule", "verdict", "source", "n", "time", "clock", "window_seconds", "basis"),
    "message",
)
STEP_FIELDS = ("text", "verdict", "seconds", "observations")
SCENARIO_FIELDS = (
    *("id", "feature", "line", "name", "example", "tags", "phase", "verdict", "reason", "message", "by", "until"),
    *("blocked_by", "seconds", "steps"),
)

# Names under which text may stand inside a structured value: places, states, versions, digests, times.
_NAMES = """
    account action address algorithm alarm arn availability_zone basis blue candidate cause check cipher client cluster
    colour column commit component components control country database detail digest dimension direction end environment
    error event expected family file finished found from green header health host hostname id image issuer key_type kind
    limit line location major message method metric mime minute missing mode module name namespace operation outcome
    owner package path phase pin plan policy port priority probe protocol reason record region release request_id
    resource result role rule run scheme serial service severity share signature_algorithm slot source stable stage
    start started state statistic status subject target target_group task time title tls to topic type unit until url
    value verdict version window zone
"""
VALUE_NAMES = frozenset(_NAMES.split())

_SECRETS = re.compile(
    "|".join(
        (
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
            r"\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]*",  # JSON web tokens
            r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",  # AWS access key ids
            r"\b(?:gh[pousr]_|github_pat_|xox[abprs]-|sk_live_|glpat-)[\w-]{10,}",
            r"(?i:\bbearer\s+)[\w.~+/=-]{8,}",
            r"(?<=://)[^/\s:@]+:[^/\s@]+(?=@)",  # user and password in an address
            r"(?i:\bpassw(?:or)?d[\"']?\s*[:=]\s*[\"']?)[^\s\"',;]{4,}",
            # Words that sentences use too ("token: refused", "cookie: Secure"): only where a digit makes it a value.
            r"(?i:\b(?:secret|token|api[_-]?key|authorization|x-release-token|set-cookie|cookie)[\"']?\s*[:=]\s*[\"']?)"
            r"(?=[^\s\"',;]*\d)[^\s\"',;]{8,}",
        )
    ),
    re.DOTALL,
)


def redact_text(text: str | None) -> str | None:
    """The text with credentials hidden, cut to TEXT_CHARACTERS_MAX."""
    if text is None:
        return None
    clean = _SECRETS.sub(HIDDEN, text)
    return clean if len(clean) <= TEXT_CHARACTERS_MAX else clean[: TEXT_CHARACTERS_MAX - 1] + "…"


def redact_value(value: Any, *, named: bool = True) -> Any:
    """An observed value or limit. `named`: it stands under a name that may hold text."""
    if isinstance(value, str):
        return redact_text(value) if named else HIDDEN
    if isinstance(value, Mapping):
        return {redact_text(str(name)): redact_value(v, named=_may_hold_text(str(name))) for name, v in value.items()}
    if isinstance(value, list | tuple):
        return [redact_value(entry, named=named) for entry in value]
    return value


def _may_hold_text(name: str) -> bool:
    return name.lower().replace("-", "_") in VALUE_NAMES or name.isdigit()


def redact_scenario(scenario: Mapping[str, Any]) -> dict[str, Any]:
    """A scenario with only the fields of the schema, its texts and values cleaned."""
    clean = {name: scenario.get(name) for name in SCENARIO_FIELDS}
    for name in ("reason", "message", "by"):
        clean[name] = redact_text(clean[name])
    clean["steps"] = [_redact_step(step) for step in scenario["steps"]]
    return clean


def _redact_step(step: Mapping[str, Any]) -> dict[str, Any]:
    clean = {name: step.get(name) for name in STEP_FIELDS}
    clean["text"] = redact_text(clean["text"])
    clean["observations"] = [_redact_observation(observation) for observation in step["observations"]]
    return clean


def _redact_observation(observation: Mapping[str, Any]) -> dict[str, Any]:
    clean = {name: observation.get(name) for name in OBSERVATION_FIELDS}
    for name in ("name", "rule", "source", "message", "unit"):
        clean[name] = redact_text(clean[name])
    for name in ("value", "limit"):
        clean[name] = redact_value(clean[name])
    return clean
