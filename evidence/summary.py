"""The summary of a run as text: a pure function of results.json and the width of the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evidence.results import counts
from evidence.verdicts import BADNESS, OPENS_A_PHASE, rank
from rollout.model import Verdict

GREEN, RED, YELLOW, PLAIN = "green", "red", "yellow", ""

_MARKS = {"green": ("✔", "+"), "red": ("✖", "x"), "yellow": ("○", "o")}
_VERDICT_WIDTH = max(len(verdict) for verdict in BADNESS)
_YELLOW = frozenset({Verdict.NOT_APPLICABLE, Verdict.WAIVED, Verdict.DEFERRED, Verdict.BLOCKED})


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of text, and the colour it may have."""

    text: str
    colour: str = PLAIN


def colour_of(verdict: str) -> str:
    """green for what passed, yellow for what people decided or what is a consequence, red for the rest."""
    if verdict == Verdict.PASS:
        return GREEN
    return YELLOW if Verdict(verdict) in _YELLOW else RED


def mark_of(verdict: str, *, unicode: bool) -> str:
    """A sign that does not need colour to be told from the others."""
    return _MARKS[colour_of(verdict)][0 if unicode else 1]


def plain(text: str, *, unicode: bool) -> str:
    """The text, with what a terminal without Unicode cannot show replaced."""
    if unicode:
        return text
    signs = {"…": "...", "→": "->", "≤": "<=", "≥": ">=", "–": "-", "—": "-", "·": "-", "×": "x"}
    return "".join(signs.get(sign, sign) for sign in text).encode("ascii", "replace").decode("ascii")


def cut(text: str, width: int, *, unicode: bool) -> str:
    """The text on one line of at most `width` columns."""
    line = " ".join(text.split())
    if len(line) <= width:
        return line
    end = "…" if unicode else "..."
    return line[: max(width - len(end), 0)] + end


def progress_line(scenario: Mapping[str, Any], *, control: str, width: int, unicode: bool) -> Line:
    """One scenario as it finishes: mark, verdict, control, title, seconds."""
    verdict = scenario["verdict"]
    head = f"{mark_of(verdict, unicode=unicode)} {verdict:<{_VERDICT_WIDTH}} {control:<9} "
    tail = f" {scenario['seconds']:.1f} s"
    title = titled(scenario)
    text = head + cut(title, width - len(head) - len(tail), unicode=unicode) + tail
    return Line(text=plain(text, unicode=unicode), colour=colour_of(verdict))


def titled(scenario: Mapping[str, Any]) -> str:
    """The scenario's name, with those values of its row that the name does not say."""
    values = [value for value in (scenario["example"] or {}).values() if value not in scenario["name"]]
    return f"{scenario['name']} ({', '.join(values)})" if values else str(scenario["name"])


def observed(observation: Mapping[str, Any]) -> str:
    """Value against limit, sample and basis of one observation: "312 ms, limit 200 ms, n=1204, live"."""
    unit = f" {observation['unit']}" if observation["unit"] else ""
    parts = [f"{_short(observation['value'])}{unit}"]
    if observation["limit"] is not None:
        parts.append(f"limit {_short(observation['limit'])}{unit}")
    if observation["n"] is not None:
        parts.append(f"n={observation['n']}")
    parts.append(observation["basis"])
    return ", ".join(parts)


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, Mapping):
        return " ".join(f"{name}={_short(entry)}" for name, entry in value.items())
    if isinstance(value, list):
        return f"{len(value)} entries" if len(value) > 3 else " ".join(map(_short, value))
    return str(value)


def key_observation(scenarios: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """The observation to show for a control: the worst; among equals one held against a limit, the last."""
    seen = [o for s in scenarios for step in s["steps"] for o in step["observations"]]
    return max(reversed(seen), key=lambda o: (-rank(o["verdict"]), o["limit"] is not None), default=None)


def worst_first(controls: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The controls that were decided, worst verdict first, register order among equals."""
    decided = [control for control in controls if control["verdict"] is not None]
    return sorted(decided, key=lambda control: rank(control["verdict"]))


def summary_lines(results: Mapping[str, Any], *, built: int, place: str, width: int, unicode: bool) -> list[Line]:
    """All lines of the summary, worst control first, the reason of the exit code last.

    `built`: how many controls of the register have a scenario. `place`: where the evidence lies.
    """
    by_id = {scenario["id"]: scenario for scenario in results["scenarios"]}
    lines: list[Line] = []
    for control in worst_first(results["controls"]):
        scenarios = [by_id[scenario] for scenario in control["scenarios"]]
        lines.append(_control_line(control, scenarios, width, unicode=unicode))
        lines += _reasons(control, scenarios, width, unicode=unicode)
    void = [f"void and repeated: rollout {r['id']} ({r['outcome']}): {r['void']}" for r in void_rollouts(results)]
    texts = ["", *_count_lines(results, built), *_ledger(results), *void, f"evidence: {place}"]
    lines += [Line(text=plain(text, unicode=unicode)) for text in texts]
    exit_code = results["exit_code"]
    last = f"{results['sentence']} (exit {exit_code})"
    lines.append(Line(text=plain(last, unicode=unicode), colour=GREEN if exit_code == 0 else RED))
    return lines


def _control_line(
    control: Mapping[str, Any], scenarios: Sequence[Mapping[str, Any]], width: int, *, unicode: bool
) -> Line:
    verdict = control["verdict"]
    head = f"{mark_of(verdict, unicode=unicode)} {control['id']:<9} {verdict:<{_VERDICT_WIDTH}} "
    seen = key_observation(scenarios)
    room = max(width - len(head), 20)
    says_width = max(min(44, room // 2), 16)
    text = head + f"{cut(control['says'], says_width, unicode=unicode):<{says_width}}"
    if seen is not None:
        text += "  " + cut(f"{seen['name']} {observed(seen)}", room - says_width - 2, unicode=unicode)
    return Line(text=plain(text.rstrip(), unicode=unicode), colour=colour_of(verdict))


def _reasons(
    control: Mapping[str, Any], scenarios: Sequence[Mapping[str, Any]], width: int, *, unicode: bool
) -> list[Line]:
    """Why the control is not PASS: each scenario with its place and the whole message."""
    lines: list[Line] = []
    for scenario in scenarios:
        if scenario["verdict"] == Verdict.PASS:
            continue
        message = scenario["message"] or scenario["reason"] or "no reason was given"
        texts = [f"    {scenario['feature']}:{scenario['line']}: {titled(scenario)}"]
        shown = message.splitlines() if Verdict(scenario["verdict"]) not in OPENS_A_PHASE else [message]
        texts += [f"      {line}" for line in shown[:12] if line.strip()]
        lines += [Line(text=plain(text, unicode=unicode), colour=colour_of(control["verdict"])) for text in texts]
    return lines


def _count_lines(results: Mapping[str, Any], built: int) -> list[str]:
    number = counts(results)
    unseen = f", {number['unseen']} without an observation" if number["unseen"] else ""
    spread = f"{number['live']} live, {number['artefact']} artefact, {number['emulated']} emulated{unseen}"
    words = [
        f"{sum(scenario['verdict'] == verdict for scenario in results['scenarios'])} {verdict.value}"
        for verdict in BADNESS
        if any(scenario["verdict"] == verdict for scenario in results["scenarios"])
    ]
    return [
        f"{number['decided']} decided: {spread}",
        f"{built} of {len(results['controls'])} built",
        f"{len(results['scenarios'])} scenarios: {', '.join(words) or 'none'}",
    ]


def void_rollouts(results: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Those that do not count; `void` says why. Results written before there were any have no such field."""
    return [rollout for rollout in results["rollouts"] if rollout.get("void")]


def _ledger(results: Mapping[str, Any]) -> list[str]:
    """Seconds per part, longest first; scenarios are added up over all workers."""
    parts = [(part["name"], part["seconds"]) for part in results.get("parts", [])]
    parts.append(("scenarios", sum(scenario["seconds"] for scenario in results["scenarios"])))
    ordered = sorted(parts, key=lambda part: -part[1])
    return ["seconds: " + ", ".join(f"{name} {seconds:.1f}" for name, seconds in ordered)]
