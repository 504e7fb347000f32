"""The rules of VAL-08 for one answer: parsers and judgements, pure. Facts from the RFCs and CSP Level 3.

Every judgement takes the answer's header fields as (name, value) pairs in order, duplicates included, and returns a
`Finding`. A field sent twice with different values is a finding of its own: which one counts is the browser's guess.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

Fields = Sequence[tuple[str, str]]

HSTS_SECONDS_MIN = 365 * 86400
_SAFE_REFERRER_POLICIES = ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin")
_REFERRER_POLICIES = (
    *_SAFE_REFERRER_POLICIES,
    *("no-referrer-when-downgrade", "origin", "origin-when-cross-origin", "unsafe-url"),
)
_VERSION_HEADERS = ("server", "x-powered-by", "x-aspnet-version", "x-aspnetmvc-version")
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# A nonce or hash makes browsers ignore 'unsafe-inline' (CSP Level 3 section 6.7.3.2).
_INLINE_REPLACED = re.compile(r"'(nonce-.+|sha(256|384|512)-.+|strict-dynamic)'", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """Whether a rule holds, what was seen, and the sentence."""

    holds: bool
    value: object
    message: str


def values_of(fields: Fields, name: str) -> tuple[str, ...]:
    """Every value of a header, trimmed, in order."""
    return tuple(value.strip() for key, value in fields if key.lower() == name)


def _single(fields: Fields, name: str, *, label: str) -> str | Finding:
    """The one value of a header; a finding when it is missing or said twice differently."""
    values = values_of(fields, name)
    if not values:
        return Finding(False, None, f"{label} is missing")
    if len(set(values)) > 1:
        return Finding(False, list(values), f"{label} is sent twice with different values: {' / '.join(values)}")
    return values[0]


def parse_hsts(value: str) -> Mapping[str, str]:
    """The directives of Strict-Transport-Security, names in lower case. Raises ValueError (RFC 6797 section 6.1)."""
    directives: dict[str, str] = {}
    for part in value.split(";"):
        name, _, argument = part.strip().partition("=")
        name = name.strip().lower()
        if not name:
            continue
        if not _TOKEN.fullmatch(name):
            raise ValueError(f"{name!r} is no directive")
        if name in directives:
            raise ValueError(f"{name} is given twice")
        directives[name] = argument.strip().strip('"')
    seconds = directives.get("max-age")
    if seconds is None:
        raise ValueError("max-age is missing")
    if not (seconds.isascii() and seconds.isdigit()):
        raise ValueError(f"max-age={seconds} is no number of seconds")
    return directives


def judge_hsts(fields: Fields) -> Finding:
    """Strict-Transport-Security of at least one year."""
    value = _single(fields, "strict-transport-security", label="Strict-Transport-Security")
    if isinstance(value, Finding):
        return value
    try:
        seconds = int(parse_hsts(value)["max-age"])
    except ValueError as error:
        return Finding(False, value, f"Strict-Transport-Security {value!r} is invalid: {error}")
    if seconds == 0:
        return Finding(False, 0, "Strict-Transport-Security has max-age=0, which switches it off")
    if seconds < HSTS_SECONDS_MIN:
        return Finding(False, seconds, f"Strict-Transport-Security has max-age={seconds}, less than one year")
    return Finding(True, seconds, f"Strict-Transport-Security has max-age={seconds}")


def parse_csp(value: str) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    """The policies of one Content-Security-Policy value: directive -> sources; the first of a name wins (CSP 2.2.1)."""
    policies = []
    for text in value.split(","):
        policy: dict[str, tuple[str, ...]] = {}
        for part in text.split(";"):
            words = part.split()
            if words:
                policy.setdefault(words[0].lower(), tuple(words[1:]))
        if policy:
            policies.append(policy)
    return tuple(policies)


def _policies(fields: Fields) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    return tuple(policy for value in values_of(fields, "content-security-policy") for policy in parse_csp(value))


def _inline_allowed(policy: Mapping[str, tuple[str, ...]], directive: str) -> bool:
    """Whether this policy lets inline scripts run, by the fallbacks of CSP 6.8.3; no directive at all lets them."""
    sources = next((policy[name] for name in (directive, "script-src", "default-src") if name in policy), None)
    if sources is None:
        return True
    unsafe = any(source.lower() == "'unsafe-inline'" for source in sources)
    return unsafe and not any(_INLINE_REPLACED.fullmatch(source) for source in sources)


def judge_csp(fields: Fields) -> Finding:
    """Content-Security-Policy that stops inline scripts; all policies sent are enforced, so one that does is enough."""
    shown = list(values_of(fields, "content-security-policy"))
    policies = _policies(fields)
    if not policies:
        only_reports = values_of(fields, "content-security-policy-report-only")
        hint = ": the report-only policy that is there stops nothing" if only_reports else ""
        return Finding(False, None, f"Content-Security-Policy is missing{hint}")
    for directive, kind in (("script-src-elem", "script elements"), ("script-src-attr", "event handlers")):
        if all(_inline_allowed(policy, directive) for policy in policies):
            said = any("'unsafe-inline'" in " ".join(sources).lower() for p in policies for sources in p.values())
            why = "has 'unsafe-inline' for scripts" if said else "does not restrict scripts"
            return Finding(False, shown, f"Content-Security-Policy {why} ({kind}): {' / '.join(shown)}")
    return Finding(True, shown, "Content-Security-Policy stops inline scripts")


def judge_nosniff(fields: Fields) -> Finding:
    """X-Content-Type-Options is nosniff."""
    value = _single(fields, "x-content-type-options", label="X-Content-Type-Options")
    if isinstance(value, Finding):
        return value
    holds = {word.strip().lower() for word in value.split(",")} == {"nosniff"}
    return Finding(holds, value, f"X-Content-Type-Options is {value}{'' if holds else ', not nosniff'}")


def judge_framing(fields: Fields) -> Finding:
    """Frame protection: frame-ancestors where a policy has it (it wins), else X-Frame-Options DENY or SAMEORIGIN."""
    ancestors = [policy["frame-ancestors"] for policy in _policies(fields) if "frame-ancestors" in policy]
    if ancestors:
        open_to_all = all(any(source.lower() in ("*", "http:", "https:") for source in each) for each in ancestors)
        shown = " / ".join(" ".join(each) or "'none'" for each in ancestors)
        return Finding(not open_to_all, shown, f"frame-ancestors is {shown}{', which is anybody' * open_to_all}")
    value = _single(fields, "x-frame-options", label="Frame protection (frame-ancestors or X-Frame-Options)")
    if isinstance(value, Finding):
        return value
    options = {word.strip().upper() for word in value.split(",")}
    holds = len(options) == 1 and options <= {"DENY", "SAMEORIGIN"}
    return Finding(holds, value, f"X-Frame-Options is {value}{'' if holds else ', which browsers ignore'}")


def judge_referrer(fields: Fields) -> Finding:
    """Referrer-Policy that gives other origins at most our origin, and plain HTTP nothing."""
    values = values_of(fields, "referrer-policy")
    if not values:
        return Finding(False, None, "Referrer-Policy is missing")
    if len(set(values)) > 1:
        return Finding(
            False, list(values), f"Referrer-Policy is sent twice with different values: {' / '.join(values)}"
        )
    known = [word.strip().lower() for word in values[0].split(",") if word.strip().lower() in _REFERRER_POLICIES]
    effective = known[-1] if known else None  # the last one a browser knows counts (Referrer Policy section 8.1)
    if effective in _SAFE_REFERRER_POLICIES:
        return Finding(True, effective, f"Referrer-Policy is {effective}")
    return Finding(False, values[0], f"Referrer-Policy {values[0]!r} tells other sites what was visited")


def judge_server_version(fields: Fields) -> Finding:
    """No header tells the version of the server software."""
    told = [
        f"{name}: {value}" for name, value in fields if name.lower() in _VERSION_HEADERS and re.search(r"\d", value)
    ]
    if told:
        return Finding(False, told, f"the server's version is told: {', '.join(told)}")
    return Finding(True, [], "no server version is told")


@dataclass(frozen=True, kw_only=True)
class Cookie:
    """One Set-Cookie header: name and attributes (names in lower case, last one wins; RFC 6265 section 5.2)."""

    name: str
    attributes: Mapping[str, str]

    def problems(self) -> tuple[str, ...]:
        """What is missing of Secure, HttpOnly and SameSite (None means: no protection)."""
        missing = [f"without {label}" for label in ("Secure", "HttpOnly") if label.lower() not in self.attributes]
        same_site = self.attributes.get("samesite", "").lower()
        if same_site not in ("lax", "strict"):
            missing.append("with SameSite=None" if same_site == "none" else "without SameSite")
        return tuple(missing)


def parse_cookie(value: str) -> Cookie:
    """Read one Set-Cookie value as a browser does: anything is a cookie."""
    first, *rest = value.split(";")
    attributes = {}
    for part in rest:
        name, _, argument = part.partition("=")
        attributes[name.strip().lower()] = argument.strip()
    return Cookie(name=first.partition("=")[0].strip(), attributes=attributes)


def judge_cookies(fields: Fields) -> Finding | None:
    """Every cookie set is Secure, HttpOnly and SameSite; None when no cookie is set."""
    cookies = [parse_cookie(value) for value in values_of(fields, "set-cookie")]
    if not cookies:
        return None
    bad = [f"cookie {cookie.name} {', '.join(cookie.problems())}" for cookie in cookies if cookie.problems()]
    names = [cookie.name for cookie in cookies]
    if bad:
        return Finding(False, names, "; ".join(bad))
    return Finding(True, names, f"cookies {', '.join(names)} are Secure, HttpOnly and SameSite")


@dataclass(frozen=True)
class Rule:
    """A judgement that every answer must pass: observation name, rule sentence, limit."""

    name: str
    sentence: str
    limit: object
    judge: Callable[[Fields], Finding]


RULES = (
    Rule("headers.hsts", "HSTS of at least one year", HSTS_SECONDS_MIN, judge_hsts),
    Rule("headers.csp", "CSP without unsafe-inline for scripts", "no unsafe-inline", judge_csp),
    Rule("headers.nosniff", "X-Content-Type-Options is nosniff", "nosniff", judge_nosniff),
    Rule("headers.framing", "protected against framing", "frame-ancestors, DENY or SAMEORIGIN", judge_framing),
    Rule("headers.referrer", "Referrer-Policy keeps addresses private", list(_SAFE_REFERRER_POLICIES), judge_referrer),
    Rule("headers.server_version", "no server version is told", [], judge_server_version),
)
COOKIE_RULE = "cookies are Secure, HttpOnly and SameSite"
