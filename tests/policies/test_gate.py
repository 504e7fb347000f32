"""The gate from outside: six ways in which a scan looks at nothing and exits 0, each refused with cause and remedy.

The table of policy-evidence: broken rule, unknown id, rule of a wrong kind, no resource, unparsable file, no directory.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from plans import plan, resource, saved
from policy_environment import MISSING, PYTHON, ROOT

from policies import __main__ as command
from policies.gate import Options, evaluate
from policies.report import Report
from policies.settings import Unusable
from policies.suppressions import BUILT_IN_PATH, read_suppressions
from policies.verdict import Verdict

GROUP = 'resource "aws_cloudwatch_log_group" "x" {\n  name              = "x"\n  retention_in_days = 30\n}\n'
BARE = '\nresource "aws_cloudwatch_log_group" "x" {\n}\n'


@pytest.fixture(scope="session")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    """The gate as shipped over files of the tests; the same content is scanned once for all of them."""
    assert PYTHON.exists(), MISSING
    base = tmp_path_factory.mktemp("gate")
    return Options(base=base, results=base / "build", today=date(2026, 11, 24))


@pytest.fixture(scope="session")
def gate(options: Options) -> Callable[..., Report]:
    """The report over one main.tf; `other` are fields of Options."""

    def run(text: str, **other: object) -> Report:
        root = options.base / f"root-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        root.mkdir(exist_ok=True)
        (root / "main.tf").write_text(text, encoding="utf-8")
        return evaluate([root], options=dataclasses.replace(options, **other))  # type: ignore[arg-type]

    return run


def package(options: Options, place: Path) -> Options:
    """A copy of the policies in which a test may break something."""
    shutil.copytree(ROOT / "policies", place / "policies", ignore=shutil.ignore_patterns("examples", "__pycache__"))
    (place / "requirements").mkdir()
    shutil.copy(ROOT / "requirements" / "policies.lock", place / "requirements")
    return dataclasses.replace(options, package=place)


# ---------------------------------------------------------------- the six ways


def test_a_rule_that_does_not_load_is_named(gate: Callable[..., Report], tmp_path: Path) -> None:
    """1: checkov prints a traceback, counts nothing, exits 0."""
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "ckv_rg_1.py").write_text("raise ImportError('no such thing')\n", encoding="utf-8")

    with pytest.raises(Unusable, match=r"ckv_rg_1\.py does not load: ImportError: no such thing\. Correct that file"):
        gate(GROUP, rules=tmp_path / "rules")


def test_a_named_rule_that_checkov_does_not_have_is_refused(
    gate: Callable[..., Report], options: Options, tmp_path: Path
) -> None:
    """2: `checkov -c CKV_AWS_99999` exits 0."""
    copied = package(options, tmp_path / "copy")
    file = copied.package / "policies" / "catalogue" / "built_in.toml"
    file.write_text(file.read_text(encoding="utf-8").replace('"CKV_AWS_7"', '"CKV_AWS_99999"'), encoding="utf-8")

    with pytest.raises(Unusable, match=r"checkov \S+ has no rule CKV_AWS_99999"):
        gate(GROUP, package=copied.package)


def test_a_rule_for_a_kind_that_does_not_exist_judges_nothing_and_says_so(
    gate: Callable[..., Report], tmp_path: Path
) -> None:
    """3: a wrong block type is silently never matched."""
    (tmp_path / "rules").mkdir()
    rule = (ROOT / "policies" / "rules" / "ckv_rg_46.py").read_text(encoding="utf-8")
    misspelt = rule.replace('"aws_cloudwatch_log_group"', '"aws_cloudwatch_loggroup"')
    (tmp_path / "rules" / "ckv_rg_46.py").write_text(misspelt, encoding="utf-8")
    report = gate(GROUP, rules=tmp_path / "rules")

    assert misspelt != rule
    assert report.policy("CKV_RG_46").verdict is Verdict.NO_DATA
    assert report.exit_code != 0


def test_no_resource_of_a_kind_is_no_data_and_never_a_pass(gate: Callable[..., Report]) -> None:
    """4: no matching resource: passed 0, failed 0, exit 0."""
    report = gate(GROUP)

    assert report.policy("CKV_RG_46").verdict is Verdict.PASS
    assert report.policy("CKV_RG_41").verdict is Verdict.NO_DATA
    assert report.policy("CKV_RG_41").population == ()
    assert report.policy("CKV_AWS_7").verdict is Verdict.NO_DATA


def test_a_file_that_cannot_be_parsed_is_named_with_its_line(gate: Callable[..., Report]) -> None:
    """5: parsing_errors 1, exit 0, everything else in the file unseen."""
    with pytest.raises(Unusable, match=r"root-\w+/main\.tf:7: cannot be parsed: .*Correct the file"):
        gate(GROUP + "\nresource {\n")


def test_a_directory_that_is_not_there_is_named(options: Options) -> None:
    """6: one line of log, exit 0."""
    with pytest.raises(Unusable, match=r"gone does not exist\. Name a root module"):
        evaluate([options.base / "gone"], options=options)


# ---------------------------------------------------------------- further ways


def test_nothing_to_scan_and_an_empty_directory_are_refused(options: Options) -> None:
    (options.base / "empty").mkdir()

    with pytest.raises(Unusable, match="nothing to scan"):
        evaluate([], options=options)
    with pytest.raises(Unusable, match=r"holds no \.tf file"):
        evaluate([options.base / "empty"], options=options)


def test_without_its_environment_the_gate_says_how_to_make_it(gate: Callable[..., Report], tmp_path: Path) -> None:
    with pytest.raises(Unusable, match=r"\.venv-none is missing.*Run make policies"):
        gate(GROUP, environment=tmp_path / ".venv-none")


def test_another_checkov_than_the_locked_one_is_refused(gate: Callable[..., Report], tmp_path: Path) -> None:
    """Installers fall back to 3.1.47 without a word, and the same tree gets other verdicts."""
    drifted = tmp_path / ".venv-drifted"
    (drifted / "bin").mkdir(parents=True)
    (drifted / "bin" / "python").touch()
    (drifted / "pyvenv.cfg").write_text("version = 3.11.7\n", encoding="utf-8")
    (drifted / "lib/python3.11/site-packages/checkov-3.1.47.dist-info").mkdir(parents=True)

    with pytest.raises(Unusable, match=r"has checkov 3\.1\.47, requirements/policies\.lock says 3\."):
        gate(GROUP, environment=drifted)


def test_a_comment_suppresses_nothing(gate: Callable[..., Report]) -> None:
    report = gate('resource "aws_cloudwatch_log_group" "x" {\n  # checkov:skip=CKV_RG_46:noise\n  name = "x"\n}\n')

    assert report.policy("CKV_RG_46").verdict is Verdict.FAIL
    assert "main.tf:2: a comment skips" in report.problems[0]


def test_findings_name_resource_file_line_cause_and_remedy(gate: Callable[..., Report]) -> None:
    (finding,) = gate(BARE).policy("CKV_RG_46").findings

    assert (finding.resource, finding.line) == ("aws_cloudwatch_log_group.x", 2)
    assert finding.file.endswith("/main.tf")
    assert "kept for" in finding.why
    assert "retention_in_days" in finding.remedy


@pytest.fixture(scope="session")
def planned(options: Options) -> Callable[..., Report]:
    """The report over the code of a root and a plan of these resources."""

    def run(code: str, *resources: dict[str, object]) -> Report:
        root = options.base / f"planned-{hashlib.sha256(code.encode()).hexdigest()[:8]}"
        root.mkdir(exist_ok=True)
        (root / "main.tf").write_text(code, encoding="utf-8")
        return evaluate([root], plan=saved(root, plan(*resources)), options=options)

    return run


def test_what_a_plan_calls_sensitive_is_in_no_output(planned: Callable[..., Report]) -> None:
    image = "registry.example/app:hunter2-secret"
    code = (
        'variable "image" {}\nresource "aws_ecs_task_definition" "t" {\n'
        '  container_definitions = jsonencode([{ name = "app", image = var.image }])\n}\n'
        'resource "aws_db_parameter_group" "p" {\n  name = var.image\n}\n'
    )
    task = resource(
        "aws_ecs_task_definition.t",
        {"container_definitions": json.dumps([{"name": "app", "image": image}])},
        after_sensitive={"container_definitions": True},
    )
    group = resource("aws_db_parameter_group.p", {"name": image}, after_sensitive={"name": True})
    report = planned(code, task, group)
    text = "\n".join(command.lines(report, seconds=0))

    assert report.policy("CKV_RG_11").verdict is Verdict.FAIL
    assert image not in text
    assert "(sensitive)" in text


def test_a_plan_that_deletes_a_database_is_red(planned: Callable[..., Report]) -> None:
    """checkov reads planned_values only: such a plan runs nothing and succeeds (#5587)."""
    gone = resource("aws_db_instance.d", None, actions=["delete"], before={"identifier": "main"})
    report = planned('resource "aws_sqs_queue" "q" {}\n', gone, resource("aws_sqs_queue.q", {}))

    assert report.policy("CKV_RG_55").verdict is Verdict.FAIL


def test_a_key_known_after_the_apply_is_deferred_with_its_path_and_a_missing_key_fails(
    planned: Callable[..., Report],
) -> None:
    code = (
        'resource "aws_kms_key" "k" {}\n'
        'resource "aws_cloudwatch_log_group" "soon" {\n  name       = "a"\n  kms_key_id = aws_kms_key.k.arn\n}\n'
        'resource "aws_cloudwatch_log_group" "never" {\n  name = "b"\n}\n'
    )
    told = {"kms_key_id": {"references": ["aws_kms_key.k.arn", "aws_kms_key.k"]}, "name": {}}
    unknown = {"kms_key_id": True, "arn": True}
    soon = resource("aws_cloudwatch_log_group.soon", {"name": "a"}, unknown=unknown, expressions=told)
    never = resource("aws_cloudwatch_log_group.never", {"name": "b"}, unknown=unknown, expressions={"name": {}})
    report = planned(code, soon, never, resource("aws_kms_key.k", {}))
    answers = {(one.root, one.resource): one for one in report.policy("CKV_AWS_158").findings}
    (name,) = {root for root, _ in answers if root.endswith(" (plan)")}

    assert answers[name, "aws_cloudwatch_log_group.never"].verdict is Verdict.FAIL
    assert answers[name, "aws_cloudwatch_log_group.soon"].verdict is Verdict.DEFERRED
    assert "aws_cloudwatch_log_group.soon.kms_key_id" in answers[name, "aws_cloudwatch_log_group.soon"].why
    assert report.deferred_paths == ("aws_cloudwatch_log_group.soon.kms_key_id",)


def test_a_plan_is_judged_beside_its_one_root(options: Options) -> None:
    file = saved(options.base, plan(resource("aws_sqs_queue.q", {})))

    for roots in ([], [options.base, options.base / "other"]):
        with pytest.raises(Unusable, match="root"):
            evaluate(roots, plan=file, options=options)


def test_two_roles_of_one_apply_are_two_roles(in_environment: Callable[[str], object], tmp_path: Path) -> None:
    """One placeholder for both would make CKV_AWS_249 see the same role twice."""
    expressions = {f"{name}_role_arn": {"references": [f"aws_iam_role.{name}.arn"]} for name in ("task", "execution")}
    unknown = {"task_role_arn": True, "execution_role_arn": True}
    task = resource("aws_ecs_task_definition.t", {"family": "t"}, unknown=unknown, expressions=expressions)
    file = saved(tmp_path, plan(task))
    code = (
        "import json, pathlib\nfrom policies.checkov_adapter import judge\nfrom policies.plan import read_plan\n"
        f"tree = read_plan(pathlib.Path({str(file)!r}), shown='plan.json').tree\n"
        "answer = judge('CKV_AWS_249', tree.resources[0], tree.origin)\nprint(json.dumps(answer.verdict))"
    )

    assert in_environment(code) != "FAIL"


# ---------------------------------------------------------------- cache and command


def test_the_same_content_is_scanned_once_a_change_and_a_torn_result_again(
    gate: Callable[..., Report], tmp_path: Path
) -> None:
    gate(GROUP, results=tmp_path)
    (first,) = tmp_path.glob("*.json")
    made = first.stat().st_mtime_ns
    gate(GROUP, results=tmp_path)
    assert first.stat().st_mtime_ns == made

    changed = gate(GROUP.replace("30", "3"), results=tmp_path)
    assert len(list(tmp_path.glob("*.json"))) == 2
    assert changed.policy("CKV_RG_46").verdict is Verdict.FAIL

    first.write_text(first.read_text(encoding="utf-8")[:100], encoding="utf-8")
    assert gate(GROUP, results=tmp_path).policy("CKV_RG_46").verdict is Verdict.PASS
    assert first.stat().st_mtime_ns != made


def test_the_command_prints_worst_first_and_exits_by_cause(options: Options, gate: Callable[..., Report]) -> None:
    lines = list(command.lines(gate(BARE), seconds=1.5))

    assert lines[0].startswith("FAIL")
    assert any("do: Set retention_in_days" in line for line in lines)
    assert lines[-1].endswith("1.50 s")


def test_unusable_input_is_exit_2_with_one_sentence() -> None:
    done = subprocess.run(
        [PYTHON, "-m", "policies", "no/such/root"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "no/such/root does not exist" in done.stderr


def test_a_module_that_no_environment_calls_is_a_problem(
    write: Callable[[dict[str, str]], Path], options: Options
) -> None:
    base = write(
        {
            "infrastructure/environments/staging/main.tf": GROUP + 'module "m" {\n  source = "../../modules/used"\n}\n',
            "infrastructure/modules/used/main.tf": 'variable "x" {\n  default = 1\n}\n',
            "infrastructure/modules/forgotten/main.tf": GROUP,
        }
    )
    report = evaluate(command.default_sources(base), options=dataclasses.replace(options, base=base))

    assert [one.partition(" ")[0] for one in command.unread_modules(base, report)] == [
        "infrastructure/modules/forgotten"
    ]


# ---------------------------------------------------------------- all of checkov's rules


def test_every_rule_of_checkov_holds_or_is_accepted_with_a_reason() -> None:
    """Over the project's own Terraform; an entry that accepts nothing is a problem, so it would be seen here too."""
    options = Options(every_built_in=True, suppressions=BUILT_IN_PATH)
    report = evaluate(command.default_sources(options.base), options=options)

    assert {one.id for one in report.policies.values() if one.verdict is Verdict.FAIL} == set()
    assert {one.id for one in report.policies.values() if one.verdict is Verdict.WAIVED} == {
        one.policy for one in read_suppressions(BUILT_IN_PATH, today=date.today())
    }
    assert report.problems == ()
    assert sum(one.verdict is Verdict.PASS for one in report.policies.values()) >= 100
