"""VAL-08, the pure part: what each header value is worth."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.header_rules import (
    RULES,
    judge_cookies,
    judge_csp,
    judge_framing,
    judge_hsts,
    judge_nosniff,
    judge_referrer,
    judge_server_version,
    parse_cookie,
    parse_csp,
    parse_hsts,
)

HSTS, CSP, FRAME, REFERRER = (
    "strict-transport-security",
    "content-security-policy",
    "x-frame-options",
    "referrer-policy",
)


@pytest.mark.parametrize(
    ("values", "holds", "says"),
    [
        (["max-age=31536000"], True, "31536000"),
        (["max-age=31535999"], False, "less than one year"),
        (['max-age="63072000"; includeSubDomains; preload'], True, "63072000"),
        (["Max-Age=31536000 ; IncludeSubDomains"], True, "31536000"),
        (["max-age=0"], False, "switches it off"),
        ([], False, "missing"),
        (["max-age=31536000", "max-age=0"], False, "twice with different values"),
        (["max-age=31536000", "max-age=31536000"], True, "31536000"),
        (["includeSubDomains"], False, "max-age is missing"),
        (["max-age=one year"], False, "no number"),
        (["max-age=-1"], False, "no number"),
        (["max-age=31536000; max-age=31536000"], False, "given twice"),
        (["max-age=31536000; b@d"], False, "no directive"),
        ([""], False, "max-age is missing"),
    ],
)
def test_hsts(values: list[str], holds: bool, says: str) -> None:
    """At least one year, said once."""
    finding = judge_hsts([(HSTS, value) for value in values])

    assert (finding.holds, says in finding.message) == (holds, True), finding.message


@pytest.mark.parametrize(
    ("values", "holds", "says"),
    [
        (["default-src 'none'"], True, "stops inline"),
        (["default-src 'self'; script-src 'self' 'unsafe-inline'"], False, "'unsafe-inline'"),
        (["default-src 'self' 'UNSAFE-INLINE'"], False, "'unsafe-inline'"),
        (["default-src 'unsafe-inline'; script-src 'self'"], True, "stops inline"),
        (["script-src 'self'; style-src 'unsafe-inline'"], True, "stops inline"),
        (["script-src 'unsafe-inline' 'nonce-abc'"], True, "stops inline"),
        (["script-src 'unsafe-inline' 'sha256-abc='"], True, "stops inline"),
        (["script-src 'self'; script-src-attr 'unsafe-inline'"], False, "event handlers"),
        (["script-src 'self'; script-src-elem 'unsafe-inline'"], False, "script elements"),
        (["frame-ancestors 'none'"], False, "does not restrict scripts"),
        (["script-src 'self'; script-src 'unsafe-inline'"], True, "stops inline"),
        (["script-src 'unsafe-inline'", "script-src 'self'"], True, "stops inline"),
        (["script-src 'unsafe-inline', default-src 'self'"], True, "stops inline"),
        ([""], False, "missing"),
        ([], False, "missing"),
    ],
)
def test_csp(values: list[str], holds: bool, says: str) -> None:
    """Inline scripts are stopped by what is in force, whatever else is said."""
    finding = judge_csp([(CSP, value) for value in values])

    assert (finding.holds, says in finding.message) == (holds, True), finding.message


def test_a_report_only_policy_is_no_policy() -> None:
    """It stops nothing, and the finding says so."""
    finding = judge_csp([("content-security-policy-report-only", "default-src 'none'")])

    assert not finding.holds
    assert "report-only" in finding.message


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ([(FRAME, "DENY")], True),
        ([(FRAME, "sameorigin")], True),
        ([(FRAME, "ALLOW-FROM https://a.example")], False),
        ([(FRAME, "DENY, SAMEORIGIN")], False),
        ([(FRAME, "DENY"), (FRAME, "SAMEORIGIN")], False),
        ([(CSP, "frame-ancestors 'none'")], True),
        ([(CSP, "frame-ancestors *"), (FRAME, "DENY")], False),
        ([(CSP, "frame-ancestors https:")], False),
        ([(CSP, "frame-ancestors *"), (CSP, "frame-ancestors 'self'")], True),
        ([(CSP, "frame-ancestors")], True),
        ([], False),
    ],
)
def test_framing(fields: list[tuple[str, str]], holds: bool) -> None:
    """frame-ancestors wins over X-Frame-Options, as in browsers."""
    assert judge_framing(fields).holds is holds


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        (["nosniff"], True),
        (["NoSniff"], True),
        (["nosniff, nosniff"], True),
        (["sniff"], False),
        (["nosniff", "sniff"], False),
        ([], False),
    ],
)
def test_nosniff(values: list[str], holds: bool) -> None:
    """Exactly nosniff."""
    assert judge_nosniff([("X-Content-Type-Options", value) for value in values]).holds is holds


@pytest.mark.parametrize(
    ("values", "holds"),
    [
        (["no-referrer"], True),
        (["strict-origin-when-cross-origin"], True),
        (["unsafe-url"], False),
        (["no-referrer, unsafe-url"], False),
        (["unsafe-url, some-future-policy, same-origin"], True),
        (["nonsense"], False),
        (["no-referrer", "unsafe-url"], False),
        ([], False),
    ],
)
def test_referrer_policy(values: list[str], holds: bool) -> None:
    """The last policy that browsers know counts."""
    assert judge_referrer([(REFERRER, value) for value in values]).holds is holds


@pytest.mark.parametrize(
    ("fields", "holds"),
    [
        ([("server", "envoy")], True),
        ([("Server", "nginx/1.25.3")], False),
        ([("X-Powered-By", "PHP/8.2")], False),
        ([("x-powered-by", "Express")], True),
        ([("x-version", "1.1.0")], True),
        ([], True),
    ],
)
def test_server_version(fields: list[tuple[str, str]], holds: bool) -> None:
    """The product may be named, its version not; the application's own version is no secret of the server."""
    assert judge_server_version(fields).holds is holds


@pytest.mark.parametrize(
    ("value", "problems"),
    [
        ("a=1; Secure; HttpOnly; SameSite=Strict", ()),
        ("a=1; secure; httponly; samesite=lax", ()),
        ("a=1; HttpOnly; SameSite=Lax", ("without Secure",)),
        ("a=1; Secure; HttpOnly; SameSite=None", ("with SameSite=None",)),
        ("a=1; Secure; HttpOnly; SameSite=maybe", ("without SameSite",)),
        ("a=1", ("without Secure", "without HttpOnly", "without SameSite")),
    ],
)
def test_cookie(value: str, problems: tuple[str, ...]) -> None:
    """Each missing attribute is named."""
    assert parse_cookie(value).problems() == problems


def test_one_bad_cookie_among_good_ones_is_named() -> None:
    """All cookies are judged."""
    finding = judge_cookies(
        [("set-cookie", "good=1; Secure; HttpOnly; SameSite=Lax"), ("Set-Cookie", "bad=1; HttpOnly; SameSite=Lax")]
    )

    assert finding is not None
    assert not finding.holds
    assert finding.message == "cookie bad without Secure"


def test_without_cookies_there_is_nothing_to_judge() -> None:
    """No cookie is no finding, neither good nor bad."""
    assert judge_cookies([("x", "y")]) is None


@given(
    st.lists(st.tuples(st.sampled_from([HSTS, CSP, FRAME, REFERRER, "x-content-type-options", "server"]), st.text()))
)
def test_no_header_value_breaks_a_rule(fields: list[tuple[str, str]]) -> None:
    """Whatever a server sends, each rule comes to a finding with a sentence."""
    for rule in RULES:
        assert rule.judge(fields).message


@given(st.integers(min_value=0, max_value=10**12), st.sampled_from(["", "; includeSubDomains", "; preload;"]))
def test_hsts_is_read_back_as_written(seconds: int, rest: str) -> None:
    """The number comes back; the limit is exactly one year."""
    value = f"max-age={seconds}{rest}"

    assert parse_hsts(value)["max-age"] == str(seconds)
    assert judge_hsts([(HSTS, value)]).holds is (seconds >= 31536000)


_WORD = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters=";,"), min_size=1)


@given(st.dictionaries(_WORD.map(str.lower), st.lists(_WORD).map(tuple), min_size=1))
def test_csp_is_read_back_as_written(policy: dict[str, tuple[str, ...]]) -> None:
    """Directives and sources come back in order."""
    text = "; ".join(" ".join((name, *sources)) for name, sources in policy.items())

    assert parse_csp(text) == (policy,)


@given(st.text())
def test_any_set_cookie_value_is_a_cookie(value: str) -> None:
    """Browsers take anything, so must we."""
    assert isinstance(parse_cookie(value).problems(), tuple)
