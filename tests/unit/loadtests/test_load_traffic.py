"""The file of expected traffic: read whole or refused with the place of the mistake."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtests.traffic import BadTraffic, Traffic, read_traffic

SHIPPED = Path(__file__).resolve().parents[3] / "loadtests" / "traffic.toml"
RIGHT = """
schema = 1
[traffic]
name = "shop"
arrivals = "constant"
arrivals_per_second = 50
in_flight_max = 100
timeout_seconds = 2.5
[mix]
look = 3
buy = 1
[profiles.steady]
warm_up_seconds = 2
stages = [{ seconds = 4, from_percent = 0, arrivals_percent = 100 }, { seconds = 6, arrivals_percent = 100 }]
"""


def read(text: str, profile: str = "steady") -> Traffic:
    return read_traffic(text.encode(), profile=profile)


def test_a_right_file_says_what_it_says() -> None:
    traffic = read(RIGHT)

    assert (traffic.name, traffic.arrivals, traffic.arrivals_per_second) == ("shop", "constant", 50.0)
    assert traffic.mix == {"look": 3.0, "buy": 1.0}
    assert traffic.profile.seconds == 10.0
    assert [(stage.from_percent, stage.percent) for stage in traffic.profile.stages] == [(0, 100), (100, 100)]
    assert traffic.arrivals_expected == 50 * (4 * 0.5 + 6)
    assert traffic.seed is None


@pytest.mark.parametrize("profile", ["steady", "ramp", "spike", "soak", "step"])
def test_the_shipped_file_is_right_in_every_profile(profile: str) -> None:
    traffic = read_traffic(SHIPPED.read_bytes(), profile=profile)

    assert traffic.profile.name == profile
    assert traffic.profile.breaking_point == (profile == "step")
    assert sum(traffic.mix.values()) == 100


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("schema = 1", "schema = 2", "schema: this is read as schema 1"),
        ('arrivals = "constant"', 'arrivals = "bursts"', "traffic.arrivals: constant or poisson"),
        ("arrivals_per_second = 50", "arrivals_per_second = 0", "traffic.arrivals_per_second: a number from above 0"),
        ("arrivals_per_second = 50", "arrivals_per_second = nan", "traffic.arrivals_per_second: a number"),
        ("arrivals_per_second = 50", "arrivals_per_second = true", "traffic.arrivals_per_second: a number"),
        ("in_flight_max = 100", "in_flight_max = 1.5", "traffic.in_flight_max: a whole number from 1"),
        ("in_flight_max = 100", "in_flight_maximum = 100", "traffic.in_flight_max: is missing"),
        ("timeout_seconds = 2.5", "timeout_seconds = 2.5\nretries = 3", "traffic.retries: is not known here"),
        ("look = 3\nbuy = 1", "look = 0", "mix: at least one visit needs a weight above 0"),
        ("look = 3", "look = -1", "mix.look: a number from 0"),
        ("warm_up_seconds = 2", "warm_up_seconds = 10", "leaves nothing of 10 s to be measured"),
        ("seconds = 4, ", "seconds = 0, ", "profiles.steady.stages[0].seconds: a number from above 0"),
        ("seconds = 6,", "seconds = 6, percent = 1,", "profiles.steady.stages[1].percent: is not known here"),
        ("[profiles.steady]", "[profiles.other]", "profiles: there is no 'steady', only other"),
        ("[mix]", "[extra]\na = 1\n[mix]", "extra: is not known here"),
        ("schema = 1", "schema = ", "not TOML"),
    ],
)
def test_a_mistake_is_named_with_its_place(old: str, new: str, said: str) -> None:
    assert old in RIGHT

    with pytest.raises(BadTraffic) as refused:
        read(RIGHT.replace(old, new))

    assert said in str(refused.value)


def test_seconds_stretch_the_stages_and_leave_the_warm_up() -> None:
    scaled = read(RIGHT).scaled(seconds=30, per_second=7)

    assert [stage.seconds for stage in scaled.profile.stages] == [12, 18]
    assert scaled.profile.warm_up_seconds == 2
    assert scaled.arrivals_per_second == 7


@pytest.mark.parametrize(("seconds", "rate"), [(2.0, None), (0.0, None), (-1.0, None), (None, 0.0), (None, 1e9)])
def test_a_scale_that_leaves_nothing_is_refused(seconds: float | None, rate: float | None) -> None:
    with pytest.raises(BadTraffic, match=r"--(seconds|rate)"):
        read(RIGHT).scaled(seconds=seconds, per_second=rate)
