"""What one task of the service is told when it starts; all checking of that input happens here, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ISSUER = "https://api.shop.example"
AUDIENCE = "https://api.shop.example"
OTHER_AUDIENCE = "https://reports.shop.example"

_TEXTS = ("slot", "version", "digest", "task_id", "address", "database_url", "redis_url")
_PATHS = ("fault_file", "clock_file", "signing_key_file", "log_file")


class SettingsError(ValueError):
    """A setting is missing or malformed; the message names it and says what is wanted."""


@dataclass(frozen=True, kw_only=True)
class Tls:
    """Files (PEM): this task's certificate chain and key, and the authority whose client certificates it accepts."""

    certificate: Path
    key: Path
    client_ca: Path


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most `requests` requests of one client in `window_seconds` (real) seconds."""

    requests: int
    window_seconds: int


DEFAULT_LIMITS: Mapping[str, Limit] = {
    "limited": Limit(requests=10, window_seconds=2),
    "token": Limit(requests=600, window_seconds=10),
    "items": Limit(requests=1200, window_seconds=10),
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """One task. `external` maps the name of each dependency to the URL that is tried."""

    slot: str
    version: str
    digest: str
    task_id: str
    address: str
    database_url: str
    redis_url: str
    external: Mapping[str, str]
    fault_file: Path
    clock_file: Path
    signing_key_file: Path
    log_file: Path
    tls: Tls
    port_report_fd: int
    memory_limit_mib: float = 192.0
    cpu_share: float = 0.25
    grace_seconds: float = 10.0
    public_host: str | None = None
    limits: Mapping[str, Limit] = field(default_factory=lambda: dict(DEFAULT_LIMITS))

    @property
    def release_id(self) -> str:
        """The opaque short name of the image: the first twelve hexadecimal digits of its digest."""
        return self.digest.removeprefix("sha256:")[:12]


def settings_from(values: Mapping[str, Any]) -> Settings:
    """Check `values` (see README.md for the keys). Raises SettingsError."""
    plain: dict[str, Any] = {name: _text(values, name) for name in _TEXTS}
    plain.update({name: Path(_text(values, name)) for name in _PATHS})
    tls = values.get("tls")
    if not isinstance(tls, Mapping):
        raise SettingsError("tls is missing: give certificate, key and client_ca; the service accepts mutual TLS only")
    return Settings(
        **plain,
        external=_external(values.get("external_url")),
        tls=Tls(**{name: Path(_text(tls, name)) for name in ("certificate", "key", "client_ca")}),
        port_report_fd=int(values["port_report_fd"]) if values.get("port_report_fd") is not None else -1,
        memory_limit_mib=_positive(values, "memory_limit_mib", default=192.0),
        cpu_share=_positive(values, "cpu_share", default=0.25),
        grace_seconds=_positive(values, "grace_seconds", default=10.0),
        public_host=values.get("public_host") or None,
        limits=_limits({**_limits_of(values.get("environment") or {}), **(values.get("limits") or {})}),
    )


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None or str(value) == "":
        raise SettingsError(f"{name} is missing from the settings of a task")
    return str(value)


def _positive(values: Mapping[str, Any], name: str, *, default: float) -> float:
    value = float(values.get(name) or default)
    if value <= 0:
        raise SettingsError(f"{name} is {value}; it must be greater than 0")
    return value


def _external(value: object) -> Mapping[str, str]:
    if value is None or value == "":
        return {}
    if isinstance(value, Mapping):
        return {str(name): str(url) for name, url in value.items()}
    return {"external": str(value)}


def _limits_of(environment: Mapping[str, str]) -> dict[str, Any]:
    """LIMIT_LIMITED=10/2 in a task's environment means ten requests in two seconds."""
    found: dict[str, Any] = {}
    for name in DEFAULT_LIMITS:
        text = environment.get(f"LIMIT_{name.upper()}")
        if text is not None:
            requests, slash, seconds = text.partition("/")
            if not (slash and requests.isdecimal() and seconds.isdecimal()):
                raise SettingsError(f"LIMIT_{name.upper()} is {text!r}; it takes REQUESTS/SECONDS, such as 10/2")
            found[name] = {"requests": int(requests), "window_seconds": int(seconds)}
    return found


def _limits(values: Mapping[str, Any]) -> Mapping[str, Limit]:
    unknown = sorted(set(values) - set(DEFAULT_LIMITS))
    if unknown:
        raise SettingsError(f"limits name {unknown[0]!r}; known are {', '.join(DEFAULT_LIMITS)}")
    given = {
        name: Limit(requests=int(value["requests"]), window_seconds=int(value["window_seconds"]))
        for name, value in values.items()
    }
    return {**DEFAULT_LIMITS, **given}
