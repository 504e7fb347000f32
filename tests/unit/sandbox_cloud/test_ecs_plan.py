"""ECS's next steps with a service, as a pure function."""

from __future__ import annotations

import pytest

from sandbox.cloud.ecs_plan import Steps, TaskFacts, Wanted, plan, zone_for


def _tasks(text: str) -> list[TaskFacts]:
    """`N+` a healthy new task, `N-` one that is not; `O+`, `O-` of an old revision. Ids are n0, n1, ..."""
    return [
        TaskFacts(
            id=f"{word[0].lower()}{index}",
            is_primary=word[0] == "N",
            is_healthy=word[1] == "+",
            zone="ab"[index % 2],
            created=float(index),
        )
        for index, word in enumerate(text.split())
    ]


@pytest.mark.parametrize(
    ("desired", "tasks", "expected"),
    [
        (2, "", Steps(start=2, stop=[])),
        (2, "N+ N+", Steps(start=0, stop=[])),
        (2, "O+ O+", Steps(start=2, stop=[])),
        (2, "O+ O+ N- N-", Steps(start=0, stop=[])),
        (2, "O+ O+ N+ N-", Steps(start=0, stop=["o0"])),
        (2, "O+ O+ N+ N+", Steps(start=0, stop=["o0", "o1"])),
        (2, "O- O+ N- N-", Steps(start=0, stop=["o0"])),
        (2, "N+ N+ N+", Steps(start=0, stop=["n2"])),
        (1, "N+ N-", Steps(start=0, stop=["n1"])),
        (0, "N+ O+", Steps(start=0, stop=["n0", "o1"])),
    ],
    ids=lambda value: value or "none" if isinstance(value, str) else None,
)
def test_steps(desired: int, tasks: str, expected: Steps) -> None:
    """New ones first, healthy ones never under the minimum, unhealthy old ones at once."""
    assert plan(Wanted(desired=desired), _tasks(tasks)) == expected


def test_limits_of_a_deployment() -> None:
    """maximumPercent 100 leaves no room; minimumHealthyPercent 50 makes some; held-back starts do not start."""
    tight = Wanted(desired=2, minimum_healthy_percent=50, maximum_percent=100)

    assert plan(tight, _tasks("O+ O+")) == Steps(start=0, stop=["o0"])
    assert plan(tight, _tasks("O+")) == Steps(start=1, stop=[])
    assert plan(Wanted(desired=2, may_start=False), []) == Steps(start=0, stop=[])


def test_zones() -> None:
    """The emptiest, then the first; the fault puts all into one."""
    zones = ["us-east-1a", "us-east-1b"]

    assert zone_for(zones, [], one_zone=False) == "us-east-1a"
    assert zone_for(zones, ["us-east-1a"], one_zone=False) == "us-east-1b"
    assert zone_for(zones, ["us-east-1a"], one_zone=True) == "us-east-1a"


def test_a_new_revisions_tasks_do_not_share_the_zone_that_the_old_ones_left_free() -> None:
    """Two tasks take the place of two others, in three zones: each has a zone of its own."""
    zones, leaving = ["a", "b", "c"], ["b", "c"]
    first = zone_for(zones, [], leaving=leaving, one_zone=False)
    second = zone_for(zones, [first], leaving=leaving, one_zone=False)

    assert (first, second) == ("a", "b")
