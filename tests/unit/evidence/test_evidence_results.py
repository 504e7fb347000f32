"""results.json: how it is put together, checked, cleaned and written."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from evidence_samples import CONTROLS, make_observation, make_results, make_scenario

from evidence.emulated import allowed_emulated, compare_emulated
from evidence.redact import HIDDEN, TEXT_CHARACTERS_MAX, redact_scenario, redact_text, redact_value
from evidence.results import (
    InvalidResults,
    check_observation,
    control_results,
    counts,
    link_latest,
    read_results,
    redacted,
    validate_results,
    write_results,
)

ROOT = Path(__file__).parents[3]


def test_a_control_takes_its_worst_scenario_and_its_weakest_basis() -> None:
    """And one that others prove takes theirs; one without a scenario is neither PASS nor red."""
    scenarios = [
        make_scenario(1),
        make_scenario(2, verdict="LOW_SAMPLE", observations=[make_observation(basis="artefact")]),
    ]

    gate_1, gate_2, architecture = control_results(CONTROLS, scenarios)

    assert (gate_1["verdict"], gate_1["basis"], gate_1["scenarios"]) == (None, None, [])
    assert (gate_2["verdict"], gate_2["basis"]) == ("LOW_SAMPLE", "artefact")
    assert (architecture["verdict"], architecture["scenarios"]) == ("LOW_SAMPLE", gate_2["scenarios"])


def test_counts_are_by_weakest_basis() -> None:
    """The summary's line: decided, of which live, artefact, emulated."""
    scenarios = [make_scenario(1), make_scenario(2, tags=["GATE-01"], observations=[])]

    assert counts(make_results(*scenarios)) == {"decided": 3, "live": 2, "artefact": 0, "emulated": 0, "unseen": 1}


def test_results_hold_the_schema(results) -> None:
    """And every way to break it is refused with the place."""
    validate_results(results)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"verdict": "green"}, "$.verdict"),
        ({"account": 123456789012}, "$.account"),
        ({"clock": {"factor": 0}}, "$.clock.factor"),
        ({"plan_sha256": "abc"}, "$.plan_sha256"),
        ({"password": "x"}, "password"),
        ({"rollouts": [{"id": "r"}]}, "$.rollouts[0]"),
        ({"scenarios": [make_scenario(1, verdict="GREEN")]}, "$.scenarios[0].verdict"),
        ({"scenarios": [make_scenario(1, phase="during")]}, "$.scenarios[0].phase"),
        ({"scenarios": [make_scenario(1, observations=[make_observation(clock="wall")])]}, "observations[0].clock"),
    ],
)
def test_results_that_break_the_schema_are_not_written(results, change, place, tmp_path) -> None:
    """A wrong word never reaches a reader."""
    with pytest.raises(InvalidResults) as refused:
        write_results({**results, **change}, tmp_path)

    assert place in str(refused.value)
    assert list(tmp_path.iterdir()) == []


def test_every_required_field_of_the_contract_is_required(results) -> None:
    """contracts.md, section 2, field by field."""
    fields = (
        "schema run_id complete selection environment clock started finished commit plan_sha256 image_digests account "
        "region caller tools verdict controls scenarios rollouts"
    )
    for name in fields.split():
        with pytest.raises(InvalidResults, match=name):
            validate_results({key: value for key, value in results.items() if key != name})


def test_an_observation_is_checked_where_it_is_made() -> None:
    """So that the step that made it is named, not the end of the run."""
    check_observation(make_observation())
    with pytest.raises(InvalidResults, match="'p95'"):
        check_observation(make_observation(n=-1))


def test_writing_is_one_step_and_links_name_the_newest(results, tmp_path) -> None:
    """`latest` for a whole run, `latest-partial` for any other; reading gives the same back."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        path = write_results(results, tmp_path / name)
        link_latest(tmp_path / name, whole=True)
    link_latest(tmp_path / "first", whole=False)

    assert read_results(path) == results
    assert (tmp_path / "latest").resolve().name == "second"
    assert (tmp_path / "latest-partial").resolve().name == "first"
    assert [p.name for p in (tmp_path / "second").iterdir()] == ["results.json"]


def test_reading_refuses_what_is_not_whole(tmp_path) -> None:
    """A truncated file is no evidence."""
    path = tmp_path / "results.json"
    path.write_text('{"schema": 1')

    with pytest.raises(InvalidResults, match="not JSON"):
        read_results(path)


SECRETS = [
    "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.c2lnbmF0dXJl",
    "AKIAIOSFODNN7EXAMPLE",
    "Bearer abcdef0123456789",
    "ghp_abcdefghij0123456789",
    "password=correct-horse",
    '"x-release-token": "0123456789abcdef"',
    "Set-Cookie: session=0123456789abcdef",
    "postgresql://shop:correct-horse@127.8.9.10/shop",
    "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----",
]


@pytest.mark.parametrize("secret", SECRETS, ids=range(len(SECRETS)))
def test_text_that_looks_like_a_secret_is_hidden(secret) -> None:
    """Wherever it stands in a sentence; the sentence stays."""
    clean = redact_text(f"the answer held {secret} and more")

    assert HIDDEN in clean
    assert clean.startswith("the answer held")
    for part in ("correct-horse", "0123456789abcdef", "c2lnbmF0dXJl", "AKIAIOSF", "abcdef0123456789", "MHcCAQEE"):
        assert part not in clean


def test_ordinary_sentences_stay_as_they_are() -> None:
    """What an auditor reads is not eaten."""
    sentence = "FAIL p95(candidate) 312 ms, limit 200 ms, n=1204, 15 min, CloudWatch TargetResponseTime"
    digest = "sha256:" + "c" * 64

    for text in (sentence, "token: refused with 401", "Set-Cookie: Secure, HttpOnly", "secret: rotation is on"):
        assert redact_text(text) == text
    assert redact_text(digest) == digest
    assert redact_text(None) is None
    assert len(redact_text("x" * 5000)) == TEXT_CHARACTERS_MAX


def test_text_in_values_needs_a_name_on_the_list() -> None:
    """Numbers pass under any name."""
    value = {"slot": "blue", "count": 3, "note": "who knows", "tasks": [{"version": "1.1.0", "cookie": "abc", "n": 1}]}

    assert redact_value(value) == {
        "slot": "blue",
        "count": 3,
        "note": HIDDEN,
        "tasks": [{"version": "1.1.0", "cookie": HIDDEN, "n": 1}],
    }


def test_only_fields_of_the_schema_leave_a_scenario() -> None:
    """What a recorder added by mistake does not travel."""
    scenario = make_scenario(1, message="token=0123456789", extra="x", observations=[make_observation(raw="x")])

    clean = redact_scenario(scenario)

    assert "extra" not in clean
    assert "raw" not in clean["steps"][0]["observations"][0]
    assert clean["message"] == HIDDEN
    validate_results(redacted(make_results(scenario)))


EMULATED_ROWS = "| control | what |\n|---|---|\n| ARCH-09 | findings are made up |\n| GATE-01 | made up |\n"


def test_the_list_of_emulated_controls_is_compared_both_ways() -> None:
    """Emulated without standing there, and standing there although seen live; undecided controls say nothing."""
    results = make_results(
        make_scenario(1, observations=[make_observation(basis="emulated")]), make_scenario(2, tags=["GATE-01"])
    )

    comparison = compare_emulated(results, allowed_emulated(EMULATED_ROWS))

    assert comparison.undeclared == ("ARCH-02", "GATE-02")
    assert comparison.outdated == ("GATE-01",)
    assert not comparison.agrees
    assert compare_emulated(make_results(make_scenario(1)), {}).agrees


def test_a_row_without_a_reason_or_twice_is_refused() -> None:
    """An imitation needs its reason."""
    with pytest.raises(ValueError, match="without a reason"):
        allowed_emulated("| ARCH-09 |  |\n")
    with pytest.raises(ValueError, match="twice"):
        allowed_emulated(EMULATED_ROWS + "| ARCH-09 | again |\n")


def test_the_page_of_emulated_controls_names_controls_of_the_register() -> None:
    """docs/emulated.md is read by the same function as the comparison uses."""
    allowed = allowed_emulated((ROOT / "docs/emulated.md").read_text())
    register = tomllib.loads((ROOT / "features/controls.toml").read_text())

    assert set(allowed) <= {control["id"] for control in register["control"]}


def test_the_newest_whole_run_agrees_with_the_list() -> None:
    """Compared where a run was made on this machine; in CI `make gates` comes first."""
    path = ROOT / "build/evidence/latest/results.json"
    if not path.exists():
        pytest.skip("no whole run of the gates on this machine")

    comparison = compare_emulated(
        json.loads(path.read_text()), allowed_emulated((ROOT / "docs/emulated.md").read_text())
    )

    assert comparison.agrees, comparison


def test_the_register_is_whole() -> None:
    """154 controls; every line of the guide is claimed by a control or listed as context with a reason."""
    register = tomllib.loads((ROOT / "features/controls.toml").read_text())
    controls = register["control"]
    ids = [control["id"] for control in controls]
    claimed = {line for control in controls for span in control["guide"] for line in lines_of(span)}
    context = {line for entry in register["context"] for span in entry["lines"] for line in lines_of(span)}

    assert len(ids) == len(set(ids)) == 154
    assert all(control["says"] and control["proof"] and control["guide"] for control in controls)
    assert all(entry["reason"] for entry in register["context"])
    assert claimed.isdisjoint(context)
    assert max(claimed) == 508
    assert {"drill", "hipaa", "soc2", "gdpr"} <= set(register["topics"])


def lines_of(span: str) -> range:
    first, _, last = span.partition("-")
    return range(int(first), int(last or first) + 1)
