"""The summary and the page: pure functions of the results."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from evidence_samples import make_observation, make_results, make_scenario

from evidence.html import OBSERVATIONS_SHOWN_MAX, PAGE_BYTES_MAX, render_html
from evidence.summary import cut, key_observation, plain, progress_line, summary_lines

RED = make_scenario(
    2,
    verdict="FAIL",
    message="FAIL p95(candidate) 312 ms, limit 200 ms, n=1204",
    observations=[make_observation(value=312, verdict="FAIL")],
    tags=["GATE-01"],
)


def texts(results: dict, *, width: int = 120, unicode: bool = True) -> list[str]:
    lines = summary_lines(results, built=2, place="build/evidence/x/", width=width, unicode=unicode)
    return [line.text for line in lines]


def test_the_summary_is_worst_first_and_ends_with_the_reason() -> None:
    """Golden: what a person reads in the log of a failed job."""
    results = make_results(make_scenario(1), RED, exit_code=1, sentence="no-go: The gate holds 2 is FAIL")

    assert texts(results, width=100) == [
        "✖ GATE-01   FAIL           Error rate < 0.1% over the bake       p95 312 ms, limit 200 ms, n=1204, …",
        "    features/deployment/gates.feature:20: The gate holds 2",
        "      FAIL p95(candidate) 312 ms, limit 200 ms, n=1204",
        "✔ GATE-02   PASS           Response time < 200 ms (95th percen…  p95 182.4 ms, limit 200 ms, n=1204…",
        "✔ ARCH-02   PASS           Authentication service                p95 182.4 ms, limit 200 ms, n=1204…",
        "",
        "3 decided: 3 live, 0 artefact, 0 emulated",
        "2 of 3 built",
        "2 scenarios: 1 FAIL, 1 PASS",
        "seconds: rehearsal 61.5, scenarios 1.0",
        "evidence: build/evidence/x/",
        "no-go: The gate holds 2 is FAIL (exit 1)",
    ]


def test_a_rollout_that_does_not_count_is_named() -> None:
    """In the terminal and on the page; what counts is not."""
    results = make_results(make_scenario(1))
    void = {**results["rollouts"][0], "id": "r-0", "outcome": "ROLLED_BACK", "void": "the machine stood still"}
    results["rollouts"] = [void, {**results["rollouts"][0], "void": None}]

    said = [line for line in texts(results) if "void" in line]
    assert said == ["void and repeated: rollout r-0 (ROLLED_BACK): the machine stood still"]
    page = Page(render_html(results)).text
    assert "Rehearsed while the machine was not there, and therefore repeated: 1" in page
    assert "rollout r-0: ROLLED_BACK" in page
    assert "rollout r-1:" not in page


def test_a_terminal_without_unicode_gets_ascii() -> None:
    """Marks, cuts and messages, whatever stands in them."""
    strange = make_scenario(1, verdict="FAIL", message="5 % → 25 % – naïve ≤ 3")

    shown = texts(make_results(strange, RED), unicode=False)

    assert all(line.isascii() for line in shown)
    assert shown[0].startswith("x GATE-01")
    assert "      5 % -> 25 % - na?ve <= 3" in shown


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_control_takes_one_line_of_the_width(width) -> None:
    """Long texts are cut, never wrapped."""
    seen = make_observation(name="x" * 90, value="y" * 400)
    results = make_results(make_scenario(1, observations=[seen]))

    assert all(len(line) <= width for line in texts(results, width=width) if line.startswith("✔"))


def test_the_progress_line_says_verdict_control_title_and_seconds() -> None:
    """With those values of the row that the title does not say."""
    row = make_scenario(1, name="The limit at 0.1 % decides", example={"limit": "0.1 %", "errors": "5"})

    line = progress_line(row, control="GATE-01", width=100, unicode=True)

    assert line.text == "✔ PASS           GATE-01   The limit at 0.1 % decides (5) 0.5 s"
    assert line.colour == "green"


def test_the_key_observation_is_the_worst_then_one_with_a_limit() -> None:
    """A failing one is what a person wants to see."""
    good = make_observation(name="a")
    bare = make_observation(name="b", limit=None)
    bad = make_observation(name="c", verdict="FAIL", limit=None)

    assert key_observation([make_scenario(1, observations=[good, bare])])["name"] == "a"
    assert key_observation([make_scenario(1, observations=[good, bad, bare])])["name"] == "c"
    assert key_observation([make_scenario(1, observations=[])]) is None


def test_cutting_keeps_to_one_line() -> None:
    """Line breaks of a value do not break the table."""
    assert cut("a\n  b", 10, unicode=True) == "a b"
    assert cut("abcdef", 4, unicode=True) == "abc…"
    assert cut("abcdef", 4, unicode=False) == "a..."
    assert plain("…", unicode=False) == "..."


class Page(HTMLParser):
    """Every tag, attribute and unclosed element of a page."""

    VOID = frozenset({"meta", "br", "link", "img"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data) -> None:
        self.text += data


HOSTILE = "\"><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7 * 7 }}</style></title>' onmouseover='a"


def test_hostile_text_stays_text() -> None:
    """In every field that anybody can write: names, messages, values, sources, tables, descriptions, digests."""
    hostile = dict.fromkeys(("name", "value", "source", "rule", "unit"), HOSTILE)
    seen = make_observation(**hostile, limit={"slot": HOSTILE})
    scenario = make_scenario(
        1, verdict="FAIL", name=HOSTILE, message=HOSTILE, by=HOSTILE, text=f"Then {HOSTILE}\n| {HOSTILE} |"
    )
    scenario["steps"][0]["observations"] = [seen]
    scenario["example"] = {HOSTILE: HOSTILE + "2"}
    results = make_results(
        scenario,
        selection=HOSTILE,
        complete=False,
        sentence=HOSTILE,
        caller=HOSTILE,
        tools={HOSTILE: HOSTILE},
        image_digests={HOSTILE: HOSTILE},
    )
    results["features"][0] |= {"name": HOSTILE, "description": HOSTILE}
    results["controls"][1]["says"] = HOSTILE

    page = Page(render_html(results))

    assert page.open == []
    assert {"script", "img"}.isdisjoint(page.tags)
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert "{{ 7 * 7 }}" in page.text
    assert "alert(1)" in page.text


def test_the_page_needs_neither_network_nor_script(results) -> None:
    """No address but its own anchors, and a policy that forbids the rest."""
    page = Page(render_html(results))
    targets = [value for name, value in page.attributes if name in ("src", "href", "action")]

    assert page.open == []
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert ("content", "default-src 'none'; style-src 'unsafe-inline'") in page.attributes
    assert {"script", "link", "iframe"}.isdisjoint(page.tags)
    assert "@media print" in render_html(results)
    assert "prefers-color-scheme: dark" in render_html(results)


def test_the_page_opens_on_the_verdict_and_says_what_was_not_looked_at() -> None:
    """Verdict, then the matrix with the worst first, then the gaps, then step by step."""
    emulated = make_scenario(1, observations=[make_observation(basis="emulated")])
    later = make_scenario(
        3, verdict="DEFERRED", by="release manager", until="2999-01-31", message="held later", tags=["GATE-01"]
    )

    text = Page(render_html(make_results(emulated, later, verdict="no-go", sentence="no-go: x"))).text

    place = 0
    for part in (
        "no-go: x",
        "Controls, worst first",
        "DEFERRED",
        "What this run did not look at",
        "Seen only on an imitation",
        "Deferred to a later day: 1",
        "by release manager, until 2999-01-31",
        "What was checked, step by step",
        "Missing evidence counts against it.",
        "Then it is fast enough",
        "182.4 ms, limit 200 ms, n=1204, emulated, p95(candidate) < limit, window 900 s, CloudWatch",
        "60 times as fast as real time",
    ):
        place = text.index(part, place)


def test_a_full_run_stays_under_300_kilobytes() -> None:
    """200 scenarios of four steps, two observations each; a long series is cut with a note."""
    scenarios = []
    for number in range(200):
        scenario = make_scenario(number + 1, feature=f"features/deployment/sheet_{number // 8}.feature")
        step = {**scenario["steps"][0], "observations": [make_observation(), make_observation(name="CPU", n=15)]}
        scenario["steps"] = [step] * 4
        scenarios.append(scenario)
    scenarios[0]["steps"][0] = {**step, "observations": [make_observation()] * 40}

    bad = make_observation(name="the red one", verdict="FAIL")
    scenarios[1]["steps"][0] = {**step, "observations": [*[make_observation()] * 9, bad]}

    page = render_html(make_results(*scenarios))

    assert len(page.encode()) < PAGE_BYTES_MAX
    assert "more in results.json" in page
    assert "the red one" in page  # sorting puts it first, whatever the room


def test_a_small_run_shows_more() -> None:
    """The room of the page is used."""
    page = render_html(make_results(make_scenario(1, observations=[make_observation()] * 40)))

    assert f"and {40 - OBSERVATIONS_SHOWN_MAX} more in results.json" in page
