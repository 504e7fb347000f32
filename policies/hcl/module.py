"""One instance of a module: what its names mean, and the instances of everything it declares."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from policies.hcl.arguments import Arguments
from policies.hcl.documents import policy_document
from policies.hcl.evaluate import evaluate
from policies.hcl.files import Directory
from policies.hcl.scope import Scope
from policies.hcl.syntax import Argument, Attribute, Block, Expression, Name
from policies.values import Instance, Unknown, Value, is_known, joined


@dataclass(frozen=True, kw_only=True)
class Repeated:
    """One repetition of a block: the suffix of its address, what each and count are, and whether it is certain."""

    suffix: str
    scope: Scope
    certain: bool = True
    key: Value = None


def _shaped(instances: list[tuple[Repeated, Value]]) -> Value:
    """Instances as references see them: one, a list by count, an object by for_each."""
    if any(not repeated.suffix for repeated, _ in instances):
        return instances[0][1]
    if any(isinstance(repeated.key, str) for repeated, _ in instances):
        return {str(repeated.key): value for repeated, value in instances}
    return [value for _, value in instances]


def provider_name(expression: object) -> str:
    """`aws` or `aws.alias` as written."""
    return (
        f"{expression.of.name}.{expression.name}"
        if isinstance(expression, Attribute) and isinstance(expression.of, Name)
        else getattr(expression, "name", "aws")
    )


class ModuleInstance:
    """Names of one module instance; `inputs` are what its caller passes, `address` is "" for the root."""

    def __init__(
        self,
        directory: Directory,
        *,
        address: str = "",
        inputs: Mapping[str, Callable[[], Value]] | None = None,
        regions: Mapping[str, Value] | None = None,
    ) -> None:
        self.directory, self.address, self._inputs = directory, address, inputs or {}
        self._memory: dict[tuple[str, ...], Value] = {}
        self._children: dict[str, list[tuple[Repeated, ModuleInstance]]] = {}
        self.scope = Scope(names=self)
        self._regions = regions

    # ------------------------------------------------------------ names

    def lookup(self, path: tuple[str, ...]) -> tuple[Value, int]:
        first = path[0]
        size = 3 if first == "data" else 2
        if first == "path" or len(path) < size:
            return self._plain(path)
        return self._remembered(path[:size]), size

    def read(self, path: str) -> str | None:
        return self.directory.library.text(self.directory.path / path)

    def _plain(self, path: tuple[str, ...]) -> tuple[Value, int]:
        if path[:2] == ("path", "module"):
            return str(self.directory.path), 2
        return Unknown(".".join(path)), len(path)

    def _remembered(self, path: tuple[str, ...]) -> Value:
        if path not in self._memory:
            self._memory[path] = Unknown(f"{'.'.join(path)}, which is defined by itself")
            self._memory[path] = self._found(path)
        return self._memory[path]

    def _found(self, path: tuple[str, ...]) -> Value:
        kind, name = path[0], path[1]
        if kind == "var":
            return self._variable(name)
        if kind == "local":
            expression = self.directory.local(name)
            return Unknown(f"local.{name}") if expression is None else evaluate(expression, self.scope)
        if kind == "module":
            return self._module_outputs(name)
        if kind in ("terraform", "self", "each", "count"):
            return Unknown(".".join(path))
        return self._resource(path)

    def _variable(self, name: str) -> Value:
        if name in self._inputs:
            value = self._inputs[name]()
            if value is not None:
                return value
        block = self.directory.block("variable", name)
        default = block.body.arguments.get("default") if block else None
        if default is None:
            return None if name in self._inputs else Unknown(f"var.{name}, which has no value here")
        return evaluate(default.expression, self.scope)

    def _module_outputs(self, name: str) -> Value:
        children = self.children(name)
        if not children:
            return Unknown(f"module.{name}")
        return _shaped([(repeated, child.outputs()) for repeated, child in children])

    def outputs(self) -> Value:
        """Its outputs by name, each evaluated when asked for."""
        return Instance(address=self.address, read=_Outputs(self))

    def output(self, name: str) -> Value:
        block = self.directory.block("output", name)
        argument = block.body.arguments.get("value") if block else None
        return evaluate(argument.expression, self.scope) if argument else Unknown(f"{self.address}.{name}")

    def _resource(self, path: tuple[str, ...]) -> Value:
        data = path[0] == "data"
        kind, name = path[-2], path[-1]
        block = self.directory.block("data" if data else "resource", kind, name)
        if block is None:
            return Unknown(f"{'.'.join(path)}, which is not declared")
        instances = [(repeated, self._instance(block, repeated)) for repeated in self.repetitions(block)]
        return _shaped(instances)

    def _instance(self, block: Block, repeated: Repeated) -> Value:
        address = self.address_of(block, repeated)
        if not repeated.certain:
            return Unknown(address, frozenset({address}))
        read: Mapping[str, Value] = Arguments(block.body, repeated.scope, top=True)
        if block.kind == "data" and block.labels[0] == "aws_iam_policy_document":
            read = {**read, "json": policy_document(read)}
        return Instance(address=address, read=read)

    # ------------------------------------------------------------ instances

    def address_of(self, block: Block, repeated: Repeated) -> str:
        """`module.a.aws_x.y["key"]`, as Terraform writes it."""
        words = ("data", *block.labels) if block.kind == "data" else block.labels
        return ".".join([*([self.address] if self.address else []), *words]) + repeated.suffix

    def repetitions(self, block: Block) -> list[Repeated]:
        """The instances of a block by its count or for_each; one that is not certain where neither is known."""
        count, each = block.body.arguments.get("count"), block.body.arguments.get("for_each")
        if count is not None:
            return self._counted(count)
        return self._for_each(each) if each is not None else [Repeated(suffix="", scope=self.scope)]

    def _counted(self, count: Argument) -> list[Repeated]:
        number = evaluate(count.expression, self.scope)
        if isinstance(number, bool) or not isinstance(number, int | float):
            unknown = joined("count", [number])
            return [Repeated(suffix="", scope=self.scope.binding(count={"index": unknown}), certain=False)]
        return [
            Repeated(suffix=f"[{index}]", scope=self.scope.binding(count={"index": index}), key=index)
            for index in range(int(number))
        ]

    def _for_each(self, each: Argument) -> list[Repeated]:
        over = evaluate(each.expression, self.scope)
        if isinstance(over, list) and is_known(over):
            over = {str(item): item for item in over}
        if not isinstance(over, dict):
            unknown = joined("for_each", [over])
            return [
                Repeated(suffix="", scope=self.scope.binding(each={"key": unknown, "value": unknown}), certain=False)
            ]
        return [
            Repeated(suffix=f'["{key}"]', scope=self.scope.binding(each={"key": key, "value": over[key]}), key=key)
            for key in sorted(over)
        ]

    def children(self, name: str) -> list[tuple[Repeated, ModuleInstance]]:
        """The instances of a module that this one calls; none where its code is not here."""
        if name not in self._children:
            self._children[name] = []
            block = self.directory.block("module", name)
            directory = self.directory.called(block) if block else None
            if block is not None and directory is not None:
                self._children[name] = [(one, self._child(block, directory, one)) for one in self.repetitions(block)]
        return self._children[name]

    def _child(self, block: Block, directory: Directory, repeated: Repeated) -> ModuleInstance:
        def passed(expression: Expression) -> Callable[[], Value]:
            return lambda: evaluate(expression, repeated.scope)

        inputs = {name: passed(argument.expression) for name, argument in block.body.arguments.items()}
        address = ".".join([*([self.address] if self.address else []), "module", block.labels[0]]) + repeated.suffix
        return ModuleInstance(directory, address=address, inputs=inputs, regions=self._passed_regions(block))

    # ------------------------------------------------------------ providers

    def _passed_regions(self, block: Block) -> dict[str, Value]:
        """Regions of the providers that a called module sees: the default one, and those passed by name."""
        regions = {"aws": self.region("aws")}
        passed = block.body.arguments.get("providers")
        for key, value in getattr(passed.expression, "items", ()) if passed else ():
            regions[provider_name(key)] = self.region(provider_name(value))
        return regions

    def region_of(self, block: Block) -> Value:
        """The region in which a resource is made (its provider's)."""
        provider = block.body.arguments.get("provider")
        return self.region(provider_name(provider.expression) if provider else "aws")

    def region(self, provider: str) -> Value:
        """The region of `aws` or `aws.alias` in this module."""
        for block in self.directory.blocks("provider"):
            alias = block.body.arguments.get("alias")
            named = "aws" if alias is None else f"aws.{evaluate(alias.expression, self.scope)}"
            if block.labels == ("aws",) and named == provider:
                argument = block.body.arguments.get("region")
                return evaluate(argument.expression, self.scope) if argument else Unknown(f"the region of {provider}")
        return (self._regions or {}).get(provider, Unknown(f"the region of {provider}"))


class _Outputs(Mapping[str, Value]):
    """Outputs of a module by name."""

    def __init__(self, module: ModuleInstance) -> None:
        self._module, self._made = module, dict[str, Value]()

    def __iter__(self) -> Iterator[str]:
        return (block.labels[0] for block in self._module.directory.blocks("output"))

    def __len__(self) -> int:
        return len(self._module.directory.blocks("output"))

    def __getitem__(self, name: str) -> Value:
        if self._module.directory.block("output", name) is None:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = Unknown(f"{self._module.address}.{name}, which is defined by itself")
            self._made[name] = self._module.output(name)
        return self._made[name]
