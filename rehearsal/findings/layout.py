"""IAC-01: the infrastructure's directories as the guide lays them out, and what sets environments apart."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from infrastructure.backend_file import BackendError, parse_backend
from policies.hcl.files import Directory, Library
from policies.hcl.syntax import Block, Template
from probes.question import Question
from rollout.model import Basis, Observation

# Of the guide, "Terraform Configuration Structure".
FILES = ("main.tf", "variables.tf", "outputs.tf", "terraform.tfvars")
SHARED = ("backend.tf", "provider.tf")
# What an environment has for itself: values of its variables, and where its state lies.
OWN = ("terraform.tfvars", "backend.hcl")
_MADE_BY_TERRAFORM = ".terraform"


@dataclass(frozen=True)
class Layout:
    """The code below `code`, an environment a directory; `library` reads and remembers what could not be read."""

    code: Path
    library: Library

    def environment(self, name: str) -> Directory:
        return self.library.directory(self.code / "environments" / name)

    def directories(self) -> Iterator[Directory]:
        """Every directory that holds Terraform files, environments and modules alike."""
        for path in sorted({file.parent for file in self.code.rglob("*.tf") if _MADE_BY_TERRAFORM not in file.parts}):
            yield self.library.directory(path)


def read_layout(code: Path) -> Layout:
    """The layout of `infrastructure/`; nothing is judged yet."""
    return Layout(code=code, library=Library(base=code.resolve().parent))


def question_of(name: str, rule: str, *, source: str = "the infrastructure's files") -> Question:
    """A question that files of the repository answer."""
    return Question(name=f"code.{name}", rule=rule, source=source, basis=Basis.ARTEFACT)


def answered(question: Question, seen: Iterable[str], wrong: Iterable[str]) -> Observation:
    """PASS where nothing of what was seen is wrong, FAIL that names all of it, NO_DATA where nothing was seen."""
    looked, faults = tuple(seen), tuple(wrong)
    if faults:
        return question.failed(looked, "; ".join(faults), n=len(looked))
    if not looked:
        return question.no_data("there is nothing of the kind in the code")
    return question.passed(looked, f"{len(looked)} looked at: {question.rule}", n=len(looked))


def parsed(layout: Layout) -> Observation:
    """`code.parsed`: every file could be read; what was not read was not judged."""
    question = question_of("parsed", "every file can be read")
    files = [file.path for directory in layout.directories() for file in directory.files]
    if layout.library.gaps:
        return question.source_error("; ".join(map(str, layout.library.gaps)))
    return answered(question, files, ())


def holds_files(layout: Layout, environments: Iterable[str]) -> tuple[Observation, ...]:
    """`code.environments`: exactly these environments, each with the guide's files."""
    wanted = sorted(environments)
    present = sorted(path.name for path in (layout.code / "environments").glob("*") if path.is_dir())
    wrong = [f"environments/{name} is missing" for name in wanted if name not in present]
    wrong += [f"environments/{name} is none of the guide's" for name in present if name not in wanted]
    wrong += [
        f"environments/{environment}/{name} is missing"
        for environment in sorted({*wanted} & {*present})
        for name in FILES
        if not (layout.code / "environments" / environment / name).is_file()
    ]
    question = question_of("environments", f"each environment holds {', '.join(FILES)}")
    return parsed(layout), answered(question, present, wrong)


def uses_modules(layout: Layout, environments: Iterable[str], modules: Iterable[str]) -> tuple[Observation, ...]:
    """`code.modules`: each environment calls each of these modules from modules/, where each is."""
    wanted = tuple(modules)
    wrong = [f"modules/{name} holds no Terraform" for name in wanted if not any(_module(layout, name).glob("*.tf"))]
    seen: list[str] = []
    for environment in environments:
        called = {_source(block) for block in layout.environment(environment).blocks("module")}
        seen += [f"{environment} {source}" for source in sorted(called)]
        wrong += [f"{environment} lacks the module {name}" for name in wanted if f"../../modules/{name}" not in called]
    return (answered(question_of("modules", "each environment uses every module of the guide"), seen, wrong),)


def _module(layout: Layout, name: str) -> Path:
    return layout.code / "modules" / name


def _source(block: Block) -> str:
    argument = block.body.arguments.get("source")
    expression = argument.expression if argument else None
    return "".join(map(str, expression.parts)) if isinstance(expression, Template) else ""


def shares_files(layout: Layout, environments: Iterable[str]) -> tuple[Observation, ...]:
    """`code.shared`: backend and providers of each environment are those of shared/."""
    wrong: list[str] = []
    seen: list[str] = []
    for name in SHARED:
        original = _content(layout.code / "shared" / name)
        wrong += [f"shared/{name} is missing"] if original is None else []
        for environment in environments:
            path = f"environments/{environment}/{name}"
            seen.append(path)
            if original is not None and _content(layout.code / path) != original:
                wrong.append(f"{path} is not shared/{name}")
    return (answered(question_of("shared", "backend and providers are the shared ones"), seen, wrong),)


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def differ_in_variables_only(layout: Layout, environments: Iterable[str]) -> tuple[Observation, ...]:
    """`code.alike`: but for the files of `OWN`, an environment holds the very files of the others."""
    names = tuple(environments)
    contents = {
        environment: {
            path.name: _content(path)
            for path in sorted((layout.code / "environments" / environment).glob("*"))
            if path.is_file() and path.name not in OWN
        }
        for environment in names
    }
    files = sorted({name for held in contents.values() for name in held})
    wrong = [
        f"{name} differs between {', '.join(names)}"
        for name in files
        if len({contents[environment].get(name) for environment in names}) > 1
    ]
    return (answered(question_of("alike", f"environments differ in {' and '.join(OWN)} only"), files, wrong),)


def own_state(layout: Layout, environments: Iterable[str]) -> tuple[Observation, ...]:
    """`code.state`: no two environments keep their state in one place."""
    places: dict[tuple[str, str], str] = {}
    wrong: list[str] = []
    for environment in environments:
        content = _content(layout.code / "environments" / environment / "backend.hcl")
        try:
            backend = parse_backend((content or b"").decode("utf-8"))
        except (BackendError, UnicodeDecodeError) as error:
            wrong.append(f"{environment}: {error}")
            continue
        other = places.setdefault((backend.bucket, backend.key), environment)
        if other != environment:
            wrong.append(f"{environment} keeps its state where {other} does: {backend.bucket}/{backend.key}")
    seen = [f"{environment} {bucket}/{key}" for (bucket, key), environment in places.items()]
    return (answered(question_of("state", "each environment has a state of its own"), seen, wrong),)
