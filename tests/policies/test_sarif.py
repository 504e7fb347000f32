"""SARIF 2.1.0: what a forge needs to show a finding in its file."""

from __future__ import annotations

from typing import Any

import pytest
from jsonschema import Draft202012Validator
from test_report import ROOT, answer, report, suppression

from policies.sarif import sarif

# The parts of the OASIS schema that forges refuse a file for.
SHAPE: dict[str, Any] = {
    "type": "object",
    "required": ["version", "runs"],
    "properties": {
        "version": {"const": "2.1.0"},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["tool", "results"],
                "properties": {
                    "tool": {"type": "object", "required": ["driver"]},
                    "results": {"type": "array", "items": {"$ref": "#/$defs/result"}},
                },
            },
        },
    },
    "$defs": {
        "result": {
            "type": "object",
            "required": ["ruleId", "ruleIndex", "message", "locations", "kind", "level"],
            "properties": {
                "level": {"enum": ["none", "note", "warning", "error"]},
                "kind": {"enum": ["notApplicable", "pass", "fail", "review", "open", "informational"]},
                "ruleIndex": {"type": "integer", "minimum": 0},
                "message": {"type": "object", "required": ["text"]},
                "locations": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/location"}},
            },
        },
        "location": {
            "type": "object",
            "properties": {
                "physicalLocation": {
                    "required": ["artifactLocation", "region"],
                    "properties": {"region": {"properties": {"startLine": {"type": "integer", "minimum": 1}}}},
                }
            },
            "required": ["physicalLocation"],
        },
    },
}


@pytest.mark.parametrize(
    ("verdict", "level", "kind"),
    [("FAIL", "error", "fail"), ("DEFERRED", "none", "open"), ("SOURCE_ERROR", "none", "open")],
)
def test_a_finding_has_its_level_place_reason_and_remedy(verdict: str, level: str, kind: str) -> None:
    made = sarif(report({ROOT: [answer("PASS", "aws_x.good"), answer(verdict)]}))
    (result,) = made["runs"][0]["results"]

    assert list(Draft202012Validator(SHAPE).iter_errors(made)) == []
    assert (result["level"], result["kind"]) == (level, kind)
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "endLine": 5}
    assert "because" in result["message"]["text"]
    assert "Do." in result["message"]["text"]
    assert made["runs"][0]["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "CKV_RG_1"


def test_an_accepted_finding_is_shown_as_suppressed_with_its_reason() -> None:
    (result,) = sarif(report({ROOT: [answer("FAIL")]}, suppression()))["runs"][0]["results"]

    assert result["suppressions"][0]["status"] == "accepted"
    assert "until then" in result["suppressions"][0]["justification"]


def test_problems_make_the_run_unsuccessful() -> None:
    made = sarif(report({ROOT: [answer("PASS")]}, suppression(policy="CKV_RG_999")))

    assert made["runs"][0]["invocations"][0]["executionSuccessful"] is False


def test_the_same_finding_keeps_its_identity_when_lines_move() -> None:
    first = answer("FAIL")
    moved = {**first, "line": 30, "end_line": 33}
    prints = [sarif(report({ROOT: [one]}))["runs"][0]["results"][0]["partialFingerprints"] for one in (first, moved)]

    assert prints[0] == prints[1]
