"""locust's real web UI, in a process of its own (gevent patches it), with the gate's tab and page."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
EVIL = "<script>alert(1)</script>"
# Answers of the UI by path, asked through a socket: {"path": [status, headers, body]}.
PROGRAM = """
import json, sys, urllib.error, urllib.request
import gevent.monkey
gevent.monkey.patch_all()
from locust import HttpUser, task
from locust.argument_parser import get_parser
from locust.env import Environment
from loadtests import panel
from loadtests.checks import Check, Verdict

class Customer(HttpUser):
    host = "http://127.0.0.1:9"
    @task
    def nothing(self):
        pass

base, login, evil, final = json.loads(sys.argv[1])
seen = dict(verdict=Verdict.FAIL, value=201.0, limit=200.0, unit="ms", rule="r", n=3)
check = Check(name="p95 " + evil, message="m " + evil, **seen)
environment = Environment(user_classes=[Customer], parsed_options=get_parser().parse_args([]))
environment.create_local_runner()
ui = environment.create_web_ui("127.0.0.1", 0, web_base_path=base or None, web_login=login, delayed_start=True)
ui.app.secret_key = "of this test"
if login:
    ui.login_manager.user_loader(lambda user: None)
panel.install(ui, lambda: panel.State("so far " + evil, [check], final=final))
ui.start()
while ui.server is None or not ui.server.started:
    gevent.sleep(0.01)
class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *arguments):
        return None
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), Stay)
answers = {}
for path in ("/", "/gate", "/gate.json", "/stats/requests", "/worker-count"):
    try:
        answer = opener.open(f"http://127.0.0.1:{ui.server.server_port}{base}{path}", timeout=20)
    except urllib.error.HTTPError as error:
        answer = error
    answers[path] = [answer.status, dict(answer.headers), answer.read().decode()]
ui.stop()
environment.runner.quit()
sys.stdout.write(json.dumps(answers))
"""


def answers(base: str = "", *, login: bool = False, final: bool = False) -> dict[str, Any]:
    """What the paths answer."""
    settings = json.dumps([base, login, EVIL, final])
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, settings], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def plain() -> dict[str, Any]:
    return answers()


def test_locusts_own_page_has_the_tab(plain: dict[str, Any]) -> None:
    status, _, body = plain["/"]

    assert status == 200
    assert '"extended_tabs": [{"key": "p95-gate", "title": "p95 gate"}]' in body
    assert '"extended_tables"' in body


def test_the_tabs_rows_come_with_locusts_figures(plain: dict[str, Any]) -> None:
    status, headers, body = plain["/stats/requests"]
    answer = json.loads(body)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert "stats" in answer, "locust's own figures are still there"
    assert answer["extended_stats"] == [
        {
            "key": "p95-gate",
            "data": [
                {
                    "verdict": "FAIL",
                    "check": f"p95 {EVIL}",
                    "safe_name": f"p95 {EVIL}",
                    "value": "201 ms",
                    "limit": "200 ms",
                    "says": f"m {EVIL}",
                }
            ],
        }
    ]
    assert json.loads(plain["/worker-count"][2]) == {"worker_count": 0}, "other answers are not touched"


def test_the_page_runs_nothing_that_a_name_says(plain: dict[str, Any]) -> None:
    status, headers, body = plain["/gate"]

    assert status == 200
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert "<script" not in body
    assert body.count("&lt;script&gt;") == 3
    assert "✗ FAIL" in body
    assert 'http-equiv="refresh"' in body


def test_programs_get_the_same(plain: dict[str, Any]) -> None:
    status, headers, body = plain["/gate.json"]
    answer = json.loads(body)

    assert (status, headers["Content-Type"]) == (200, "application/json")
    assert (answer["final"], answer["sentence"]) == (False, f"so far {EVIL}")
    assert answer["checks"][0]["verdict"] == "FAIL"


def test_it_lives_below_locusts_base_path_and_stops_asking_at_the_end() -> None:
    below = answers("/load", final=True)

    assert [below[path][0] for path in ("/gate", "/gate.json", "/stats/requests")] == [200, 200, 200]
    assert "extended_stats" in below["/stats/requests"][2]
    assert 'http-equiv="refresh"' not in below["/gate"][2]


def test_with_a_login_nothing_is_shown_before_it() -> None:
    closed = answers(login=True)

    for path in ("/gate", "/gate.json"):
        status, headers, body = closed[path]
        assert status == 302, path
        assert "/login" in headers["Location"]
        assert "FAIL" not in body
    assert "p95-gate" not in closed["/stats/requests"][2]
