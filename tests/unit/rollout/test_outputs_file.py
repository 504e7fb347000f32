"""outputs.json -> Target, and which image a version is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cli_world import NEW, OUTPUTS, REPOSITORY, outputs_text

from rollout.errors import BadInput
from rollout.outputs_file import Outputs, read_outputs
from rollout.toml_reader import BadFile


@pytest.fixture
def read(tmp_path: Path) -> Any:
    def from_text(text: str, environment: str = "sandbox") -> Outputs:
        path = tmp_path / "outputs.json"
        path.write_text(text)
        return read_outputs(path, environment=environment)

    return from_text


def test_a_whole_file(read: Any) -> None:
    target = read(outputs_text(unknown_output=[1])).target

    assert target.environment == "sandbox"
    assert target.target_group_arns == OUTPUTS["target_group_arns"]
    assert target.connect_to == ("api.shop.example:443:127.9.9.9:8443",)
    assert (target.aws_endpoint_url, target.clock_file, target.key) == (None, None, "arn:rule")


def test_what_a_real_environment_leaves_out(read: Any) -> None:
    absent = dict.fromkeys(["images", "connect_to", "test_hosts", "rule_arn", "heartbeat_namespace"])
    outputs = read(outputs_text(**absent))

    assert outputs.target.key == "arn:listener"
    assert (outputs.target.connect_to, outputs.target.test_hosts, outputs.images) == ((), {}, {})
    assert outputs.target.heartbeat_namespace == "ReleaseGates"


def test_every_wrong_output_is_named(read: Any) -> None:
    text = outputs_text(
        region=None, cluster_name=7, listener_arn="", service_names={"blue": "a"}, target_group_arns="x", images=[]
    )

    with pytest.raises(BadFile) as caught:
        read(text)

    keys = [problem.key for problem in caught.value.problems]
    assert keys == [
        "region.value",
        "listener_arn.value",
        "cluster_name.value",
        "images.value",
        "target_group_arns.value",
        "service_names.value",
    ]
    assert "has no text for green" in str(caught.value)
    assert "terraform output -json" in str(caught.value)


def test_a_secret_is_not_shown(read: Any) -> None:
    with pytest.raises(BadFile) as caught:
        read(outputs_text(test_header_value={"token": "s3cret"}))

    assert "test_header_value.value: is not allowed" in str(caught.value)
    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [("{", "is not JSON"), ("[]", "holds no object"), ("[" * 100_000, "is not JSON"), (" " * 300_000, "larger than")],
    ids=["syntax", "array", "depth", "size"],
)
def test_a_file_that_cannot_be_used(read: Any, text: str, words: str) -> None:
    with pytest.raises(BadInput, match=words):
        read(text)


def test_no_file_says_how_to_make_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="python -m sandbox up"):
        read_outputs(tmp_path / "none.json", environment="sandbox")
    with pytest.raises(BadInput, match="--outputs"):
        read_outputs(tmp_path / "none.json", environment="production")


def test_an_unreadable_file(read: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    (tmp_path / "outputs.json").write_text("{}")
    monkeypatch.setattr(Path, "open", refused)

    with pytest.raises(BadInput, match="Permission denied"):
        read_outputs(tmp_path / "outputs.json", environment="sandbox")


class TestImages:
    """An image is named by digest; a tag can change its meaning."""

    @pytest.fixture
    def outputs(self, read: Any) -> Outputs:
        made: Outputs = read(outputs_text())
        return made

    @pytest.mark.parametrize("spelling", [NEW, NEW.removeprefix("sha256:"), f"{REPOSITORY}@{NEW}"])
    def test_every_spelling_of_a_digest(self, outputs: Outputs, spelling: str) -> None:
        assert outputs.image(image=spelling, version="") == f"{REPOSITORY}@{NEW}"

    def test_a_version_that_the_outputs_list(self, outputs: Outputs) -> None:
        assert outputs.image(image="", version="1.1.0") == f"{REPOSITORY}@{NEW}"

    def test_another_version_is_refused_with_the_list(self, outputs: Outputs) -> None:
        with pytest.raises(BadInput, match=r"'2.0.0' is not known.*1.0.0, 1.1.0"):
            outputs.image(image="", version="2.0.0")

    @pytest.mark.parametrize("tag", ["shop-api:latest", "latest", "sha256:abc", f"{REPOSITORY}@sha256:abc"])
    def test_a_tag_is_refused(self, outputs: Outputs, tag: str) -> None:
        with pytest.raises(BadInput, match="no image by digest"):
            outputs.image(image=tag, version="")


def test_the_file_of_a_missing_value_object(read: Any) -> None:
    """`terraform output` without -json, or a hand-made file without "value"."""
    with pytest.raises(BadFile, match=r"region\.value: is missing"):
        read(json.dumps(OUTPUTS))
