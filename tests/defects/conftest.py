"""Options of the planted defects, and which of them run."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.defects.catalogue import DEFECTS, chosen
from tests.defects.planting import Greenhouse, assert_green
from tests.defects.trees import changed_paths
from tests.defects.watching import Scene, watch

TENTHS = 10


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("planted defects")
    group.addoption("--all-defects", action="store_true", help="plant every defect (long)")
    group.addoption("--defects-seed", type=int, help="which tenth of the defects to plant (default: by the day)")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All of them when a person names one by -k, or asks for all; else a tenth and what the git diff touches."""
    if "defect" not in metafunc.fixturenames:
        return
    option = metafunc.config.getoption
    everything = option("--all-defects", default=False) or bool(option("keyword"))
    seed = option("--defects-seed", default=None)
    tenth = (datetime.date.today().toordinal() if seed is None else seed) % TENTHS
    picked = DEFECTS if everything else chosen(tenth, tenths=TENTHS, changed=changed_paths())
    metafunc.parametrize("defect", picked, ids=[defect.name for defect in picked])


@pytest.fixture(scope="session")
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Greenhouse]:
    """What all defects share; in the end the shared sandbox is green in every domain that was spoilt in it."""
    fresh = bool(request.config.getoption("--all-defects", default=False))
    with ExitStack() as stack:
        greenhouse = Greenhouse(place=tmp_path_factory.mktemp("defects"), fresh=fresh, stack=stack)
        yield greenhouse
        for watched in sorted(greenhouse.spoilt):
            assert_green(watch(watched, Scene(tree=request.config.rootpath, sandbox=greenhouse.shared().directory)))


@pytest.fixture
def stopwatch(record_property: pytest.FixtureRequest) -> Iterator[None]:
    """The wall seconds of one defect, in JUnit's properties."""
    started = time.monotonic()
    yield
    record_property("wall_seconds", round(time.monotonic() - started, 1))  # type: ignore[operator]
