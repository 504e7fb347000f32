"""The candidate's task definition is the stable one with another image, and nothing of ECS's own in it."""

from __future__ import annotations

from typing import Any

import pytest

from rollout.adapters.task_definition import candidate_definition, image_by_digest, registrable, same
from rollout.errors import BadInput

DIGEST = "sha256:" + "b" * 64


def definition(slot: str = "green", **container: Any) -> dict[str, Any]:
    """As DescribeTaskDefinition answers it."""
    return {
        "taskDefinitionArn": "arn:shop-api:7",
        "family": "shop-api",
        "revision": 7,
        "status": "ACTIVE",
        "requiresAttributes": [{"name": "x"}],
        "compatibilities": ["FARGATE"],
        "registeredBy": "somebody",
        "cpu": "256",
        "volumes": [],
        "containerDefinitions": [
            {"name": "sidecar", "image": "proxy@sha256:1", "environment": [{"name": "SLOT", "value": slot}]},
            {"name": "shop-api", "image": "shop-api:old", "mountPoints": [], **container},
        ],
    }


def candidate(like: dict[str, Any], own: dict[str, Any] | None) -> dict[str, Any]:
    return candidate_definition(like, own, container="shop-api", image=f"shop-api@{DIGEST}", slots=("blue", "green"))


def test_only_the_named_containers_image_changes() -> None:
    made = candidate(definition(), None)

    assert made == {
        "family": "shop-api",
        "cpu": "256",
        "containerDefinitions": [
            {"name": "sidecar", "image": "proxy@sha256:1", "environment": [{"name": "SLOT", "value": "green"}]},
            {"name": "shop-api", "image": f"shop-api@{DIGEST}"},
        ],
    }


@pytest.mark.parametrize(
    ("like", "own", "made"),
    [
        ("green", "blue", "blue"),
        ("shop-green.internal", "shop-blue.internal", "shop-blue.internal"),
        ("evergreen", "everblue", "evergreen"),
        ("green", "green", "green"),
        ("5", "7", "5"),
    ],
    ids=["slot", "host", "part-of-a-word", "never-its-own", "no-name-of-a-slot"],
)
def test_the_environment_is_the_slots_own_where_it_names_it(like: str, own: str, made: str) -> None:
    definitions = [definition(environment=[{"name": "N", "value": value}]) for value in (like, own)]

    container = candidate(*definitions)["containerDefinitions"][1]

    assert container["environment"] == [{"name": "N", "value": made}]


def test_descriptions_are_compared_by_what_they_run() -> None:
    """Another revision, another order of variables, empty fields: the same task."""
    pairs = [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]
    one = definition(environment=pairs)
    other = {**definition(environment=pairs[::-1], links=[]), "revision": 9, "status": "INACTIVE"}

    assert same(one, other)
    assert not same(one, {**other, "cpu": "512"})
    assert not same(one, definition(environment=pairs[:1]))


def test_the_original_is_left_alone() -> None:
    like = definition()
    candidate(like, None)

    assert like == definition()
    assert registrable(like)["containerDefinitions"] is not like["containerDefinitions"]


@pytest.mark.parametrize("image", ["shop-api:1.1.0", "shop-api", "sha256:abc", f"a b@{DIGEST}", f"shop-api@{DIGEST}x"])
def test_an_image_is_named_by_its_digest(image: str) -> None:
    with pytest.raises(BadInput, match="digest"):
        image_by_digest(image, "repository")


def test_a_bare_digest_is_of_the_environments_repository() -> None:
    assert image_by_digest(DIGEST, "repository") == f"repository@{DIGEST}"
    assert image_by_digest(f"elsewhere@{DIGEST}", "repository") == f"elsewhere@{DIGEST}"
