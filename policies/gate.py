"""The gate over policies, seen from outside: importable without checkov, used by steps and by the command line.

    report = evaluate([Path("infrastructure/environments/staging")])
    report.policy("CKV_RG_4").verdict

It runs one scan in .venv-policies (or reads the one that was made of the same content), refuses everything that would
let a scan of nothing look green, and applies the exceptions of the day.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from policies import cache, suppressions
from policies.report import Exceptions, Report, build
from policies.settings import Unusable, read_settings

_ROOT = Path(__file__).resolve().parents[1]
_LOCK = "requirements/policies.lock"
SECONDS_MAX = 300
_REMEDY = "Run make policies once: it sets up .venv-policies from requirements/policies.lock."


@dataclass(frozen=True, kw_only=True)
class Options:
    """Where things are: the repository that is judged, the policies (the directory that holds `policies`), their
    interpreter, the cache, the exceptions; and today's date.

    `rules`: another directory of rules. `every_built_in`: all of checkov's rules instead of the named policies.
    """

    base: Path = _ROOT
    package: Path = _ROOT
    environment: Path = _ROOT / ".venv-policies"
    results: Path = _ROOT / "build" / "policies"
    suppressions: Path = suppressions.PATH
    rules: Path | None = None
    every_built_in: bool = False
    today: date = field(default_factory=lambda: datetime.now(UTC).date())


def evaluate(sources: Sequence[Path], *, plan: Path | None = None, options: Options | None = None) -> Report:
    """The report over these root directories, and over a plan. Raises Unusable with one sentence, cause and remedy."""
    options = options or Options()
    roots = tuple(source.resolve() for source in sources)
    file = plan.resolve() if plan else None
    _check_inputs(roots, file, options.base)
    interpreter = installed(options)
    entries = suppressions.read_suppressions(options.suppressions, today=options.today)
    exceptions = Exceptions(suppressions=entries, not_applicable=read_settings().not_applicable, today=options.today)
    name = cache.key(
        roots,
        plan=file,
        base=options.base,
        interpreter=f"{interpreter} {options.package} {options.rules} {options.every_built_in}",
    )
    place = options.results / f"{name}.json"
    results, _ = cache.cached(place, base=options.base, make=lambda path: _scan(roots, file, path, options))
    _check_results(results)
    return build(results, exceptions)


def _check_inputs(roots: tuple[Path, ...], plan: Path | None, base: Path) -> None:
    if not roots:
        raise Unusable("nothing to scan. Name a root directory (and the plan that was made of it).")
    if plan is not None and len(roots) != 1:
        raise Unusable("a plan is judged together with the one root that it was made of. Name that root, and no other.")
    for root in roots:
        if not root.is_dir():
            raise Unusable(
                f"{_shown(root, base)} does not exist. Name a root module, such as infrastructure/environments/staging."
            )
        if not any(root.glob("*.tf")):
            raise Unusable(f"{_shown(root, base)} holds no .tf file. Name a root module.")
    if plan is not None and not plan.is_file():
        raise Unusable(f"{_shown(plan, base)} does not exist. Make it with: terraform show -json PLAN > {plan.name}")


def _shown(path: Path, base: Path) -> str:
    return str(path.relative_to(base)) if path.is_relative_to(base) else str(path)


def installed(options: Options) -> str:
    """Python's and checkov's versions of the environment. Raises Unusable where it is missing or not as locked."""
    settings = options.environment / "pyvenv.cfg"
    if not settings.is_file() or not (options.environment / "bin" / "python").exists():
        raise Unusable(f"{options.environment.name} is missing: checkov's rules cannot be asked. {_REMEDY}")
    python = re.search(r"^version(?:_info)?\s*=\s*(\S+)", settings.read_text(encoding="utf-8"), re.MULTILINE)
    found = [path.name for path in options.environment.glob("lib/python*/site-packages/checkov-*.dist-info")]
    version = found[0].removeprefix("checkov-").removesuffix(".dist-info") if len(found) == 1 else "none"
    locked = _locked_version(options.package / _LOCK)
    if version != locked:
        raise Unusable(f"{options.environment.name} has checkov {version}, {_LOCK} says {locked}. {_REMEDY}")
    return f"python {python.group(1) if python else 'unknown'} checkov {version}"


def _locked_version(path: Path) -> str:
    """The locked version: installers fall back to a checkov that is years old without a word (checkov #7435)."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    match = re.search(r"^checkov==(\S+)", text, re.MULTILINE)
    if match is None:
        raise Unusable(f"{_LOCK} pins no checkov. Make it with: make lock")
    return match.group(1)


def _scan(roots: tuple[Path, ...], plan: Path | None, place: Path, options: Options) -> None:
    command = [str(options.environment / "bin" / "python"), "-m", "policies.scan", *map(str, roots)]
    command += ["--plan", str(plan)] if plan else []
    command += ["--rules", str(options.rules)] if options.rules else []
    command += ["--every-built-in"] if options.every_built_in else []
    command += ["--output", str(place), "--base", str(options.base)]
    try:
        done = subprocess.run(
            command, cwd=options.package, capture_output=True, text=True, timeout=SECONDS_MAX, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unusable(f"the scan took more than {SECONDS_MAX} s and was ended. Scan fewer roots at once.") from None
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise Unusable(said[-1] if done.returncode == 2 else f"the scan broke ({said[-1]}). Run make policies again.")


def _check_results(results: dict[str, Any]) -> None:
    """What was not read was not judged: a single gap makes the whole scan unusable."""
    gaps = results["gaps"]
    if gaps:
        more = f" ({len(gaps) - 1} more)" if len(gaps) > 1 else ""
        raise Unusable(f"{gaps[0]}{more}")
    empty = [one["name"] for one in results["inputs"] if not one["resources"]]
    if empty or not results["policies"]:
        raise Unusable(f"{', '.join(empty) or 'the scan'}: nothing was evaluated. Name roots that declare resources.")
