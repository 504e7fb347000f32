"""Results as a run would have assembled them."""

from __future__ import annotations

from typing import Any

from evidence.results import ControlEntry, control_results


def make_observation(**changes: Any) -> dict[str, Any]:
    """An observation that passes."""
    return {
        "name": "p95",
        "value": 182.4,
        "limit": 200,
        "unit": "ms",
        "rule": "p95(candidate) < limit",
        "verdict": "PASS",
        "source": "CloudWatch TargetResponseTime",
        "n": 1204,
        "time": 1790000000.0,
        "clock": "virtual",
        "window_seconds": 900,
        "basis": "live",
        "message": "",
        **changes,
    }


def make_scenario(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A scenario that passes; `observations` and `text` go into its only Then."""
    observations = changes.pop("observations", [make_observation()])
    text = changes.pop("text", "Then it is fast enough")
    verdict = changes.get("verdict", "PASS")
    return {
        "id": f"features/deployment/gates.feature::test_{number}",
        "feature": "features/deployment/gates.feature",
        "line": 10 * number,
        "name": f"The gate holds {number}",
        "example": None,
        "tags": ["GATE-02"],
        "phase": "deployment",
        "verdict": verdict,
        "reason": None,
        "message": None,
        "by": None,
        "until": None,
        "blocked_by": None,
        "seconds": 0.5,
        "steps": [{"text": text, "verdict": verdict, "seconds": 0.1, "observations": observations}],
        **changes,
    }


CONTROLS = [
    ControlEntry(id="GATE-01", says="Error rate < 0.1% over the bake", built_in="one release, end to end"),
    ControlEntry(id="GATE-02", says="Response time < 200 ms (95th percentile) over the bake", built_in=None),
    ControlEntry(id="ARCH-02", says="Authentication service", built_in="an issue", same_as=("GATE-02",)),
]


def make_results(*scenarios: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Results of a whole sandbox run."""
    return {
        "schema": 1,
        "run_id": "20261124T063554Z-cd71af",
        "complete": True,
        "selection": "features",
        "environment": "sandbox",
        "clock": {"factor": 60},
        "started": "2026-11-24T06:35:54.000+00:00",
        "finished": "2026-11-24T06:36:54.000+00:00",
        "commit": "a" * 40 + "-dirty",
        "plan_sha256": "b" * 64,
        "image_digests": {"1.1.0": "sha256:" + "c" * 64},
        "account": "123456789012",
        "region": "us-east-1",
        "caller": None,
        "tools": {"python": "3.11.7"},
        "verdict": "rehearsal-passed",
        "exit_code": 0,
        "sentence": "rehearsal passed",
        "controls": control_results(CONTROLS, scenarios),
        "scenarios": list(scenarios),
        "rollouts": [
            {
                "id": "r-1",
                "from": "1.0.0",
                "to": "1.1.0",
                "outcome": "done",
                "started": None,
                "finished": None,
                "requests_sent": 61000,
                "requests_failed": 0,
            }
        ],
        "features": [
            {
                "path": "features/deployment/gates.feature",
                "name": "A version grows only where it is seen to be good",
                "description": "  Missing evidence counts against it.",
            }
        ],
        "parts": [{"name": "rehearsal", "seconds": 61.5}],
        **changes,
    }
