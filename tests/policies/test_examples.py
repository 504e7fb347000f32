"""Every policy turns exactly its bad example red, its good one green, and says DEFERRED where nobody can know.

An example says by the names of its resources what is right: good..., bad..., open... (not known); where a name is
Terraform's own, a comment says it: `# FAIL terraform.backend.s3`.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from policies.built_in import read_built_ins
from policies.registry import load_rules

EXAMPLES = Path(__file__).resolve().parents[2] / "policies" / "examples"
RULES = load_rules().rules
NAMED = sorted([*RULES, *read_built_ins()])
FILES = sorted(str(path.relative_to(EXAMPLES)) for path in EXAMPLES.glob("*/*"))
RIGHT = {"good": "PASS", "bad": "FAIL", "open": "DEFERRED"}
NEVER_UNKNOWN = "# Never unknown: "


def expected(path: Path) -> set[tuple[str, str]]:
    """(verdict, address) of every resource that the example makes a claim about."""
    text = path.read_text(encoding="utf-8")
    found = {(verdict, address) for verdict, address in re.findall(r"^# ([A-Z]+) (\S+)$", text, re.MULTILINE)}
    if path.suffix == ".json":
        addresses = [change["address"] for change in json.loads(text)["resource_changes"]]
    else:
        addresses = [".".join(pair) for pair in re.findall(r'^resource "([^"]+)" "([^"]+)"', text, re.MULTILINE)]
    for address in addresses:
        word = address.partition(".")[2].partition("_")[0]
        if word in RIGHT:
            found.add((RIGHT[word], address))
    return found


@pytest.mark.parametrize("name", FILES)
def test_an_example_is_judged_as_it_says(name: str, judged: dict[str, list[list[str]]]) -> None:
    """Set equality: nothing else is red or open, and nothing that is claimed is missing."""
    claims = expected(EXAMPLES / name)
    answers = {(verdict, address) for verdict, address in judged[name]}
    judged_addresses = {address for _, address in answers}
    # Parts of an example (the policy of a bucket, its alarm) carry its name and are not what is judged.
    claimed = {claim for claim in claims if claim[1] in judged_addresses or not helper(claim[1], judged_addresses)}

    assert {answer for answer in answers if answer[0] != "PASS"} == {one for one in claimed if one[0] != "PASS"}
    assert {one for one in claimed if one[0] == "PASS"} <= answers


def helper(address: str, judged_addresses: set[str]) -> bool:
    """A resource of the same name as a judged one."""
    return any(other.partition(".")[2] == address.partition(".")[2] for other in judged_addresses)


@pytest.mark.parametrize("policy", NAMED)
def test_a_policy_is_seen_red_green_and_undecided(policy: str, judged: dict[str, list[list[str]]]) -> None:
    """A policy that no example turns red is decoration."""
    verdicts = {Path(name).stem: {one[0] for one in judged[name]} for name in judged if name.startswith(f"{policy}/")}

    assert "FAIL" in verdicts["fail"]
    assert verdicts["pass"] == {"PASS"}
    unknown = EXAMPLES / policy / "unknown.tf"
    if policy == "CKV_RG_55":
        assert not unknown.exists(), "what a plan deletes is always known"
    elif not unknown.read_text(encoding="utf-8").startswith(NEVER_UNKNOWN):
        assert "DEFERRED" in verdicts["unknown"]
        assert "FAIL" not in verdicts["unknown"]


def test_every_folder_belongs_to_a_policy_that_is_named() -> None:
    folders = sorted({Path(name).parts[0] for name in FILES})

    assert folders == NAMED


def test_the_locked_checkov_means_by_each_id_what_the_catalogue_says(in_environment) -> None:  # type: ignore[no-untyped-def]
    """An id that changed its meaning between versions would pass for what it is not."""
    code = (
        "import json\nfrom policies.checkov_adapter import resource_registry as registry\n"
        "from policies.built_in import read_built_ins\n"
        "print(json.dumps({one: getattr(registry.get_check_by_id(one), 'name', None) for one in read_built_ins()}))"
    )

    assert in_environment(code) == {one.id: one.meaning for one in read_built_ins().values()}
