"""The key of a scan: everything that a verdict depends on, and nothing else; and one scan for many processes."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from policies.cache import cached, key
from policies.settings import Unusable

FILES = {
    "root/main.tf": 'module "m" {\n  source = "../modules/m"\n}\n',
    "root/terraform.tfvars": "a = 1\n",
    "modules/m/main.tf": 'module "deep" {\n  source = "../deep"\n}\n',
    "modules/deep/main.tf": "# deep\n",
    "modules/other/main.tf": "# not called\n",
    "plan.json": "{}",
}


def of(base: Path, *, interpreter: str = "checkov 1") -> str:
    return key((base / "root",), plan=base / "plan.json", base=base, interpreter=interpreter)


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("root/main.tf", True),
        ("root/terraform.tfvars", True),
        ("root/new.auto.tfvars", True),
        ("modules/m/main.tf", True),
        ("modules/deep/main.tf", True),
        ("plan.json", True),
        ("modules/other/main.tf", False),
        ("root/README.md", False),
    ],
)
def test_the_key_changes_with_every_input_and_only_with_inputs(write, file: str, changes: bool) -> None:  # type: ignore[no-untyped-def]
    base: Path = write(FILES)
    before = of(base)
    (base / file).write_text((FILES.get(file) or "") + "# changed\n", encoding="utf-8")

    assert (of(base) != before) is changes


def test_the_key_changes_with_the_interpreter(write) -> None:  # type: ignore[no-untyped-def]
    base: Path = write(FILES)

    assert of(base) != of(base, interpreter="checkov 2")


def test_the_key_holds_the_policies_and_not_who_accepted_what() -> None:
    from policies.cache import _policies

    names = {path.name for path in _policies()}

    assert {"ckv_rg_1.py", "settings.toml", "built_in.toml", "checkov_adapter.py", "evaluate.py"} <= names
    assert "suppressions.toml" not in names


def maker(base: Path, calls: list[Path]) -> Callable[[Path], None]:
    def make(place: Path) -> None:
        calls.append(place)
        digest = hashlib.sha256((base / "read.txt").read_bytes()).hexdigest()
        place.write_text(json.dumps({"read": {"read.txt": digest}}), encoding="utf-8")

    return make


def test_many_at_once_make_it_once(tmp_path: Path) -> None:
    (tmp_path / "read.txt").write_text("a", encoding="utf-8")
    calls: list[Path] = []
    place = tmp_path / "results" / "x.json"
    threads = [
        threading.Thread(target=cached, args=(place,), kwargs={"base": tmp_path, "make": maker(tmp_path, calls)})
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(calls) == 1


def test_a_file_that_was_read_and_is_not_in_the_key_makes_it_stale(tmp_path: Path) -> None:
    """A template somewhere else in the repository."""
    (tmp_path / "read.txt").write_text("a", encoding="utf-8")
    calls: list[Path] = []
    place = tmp_path / "x.json"
    assert cached(place, base=tmp_path, make=maker(tmp_path, calls))[1] is False
    assert cached(place, base=tmp_path, make=maker(tmp_path, calls))[1] is True
    (tmp_path / "read.txt").write_text("b", encoding="utf-8")

    assert cached(place, base=tmp_path, make=maker(tmp_path, calls))[1] is False
    assert len(calls) == 2


def test_a_scan_that_leaves_nothing_is_no_result(tmp_path: Path) -> None:
    with pytest.raises(Unusable, match="left no usable results"):
        cached(tmp_path / "x.json", base=tmp_path, make=lambda place: None)
