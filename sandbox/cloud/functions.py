"""Lambda: functions are stored, with where their failures go.

Corrects moto 5.2.5, which forgets the dead-letter target of a function. (None is run: see docs/emulated.md.)
"""

from __future__ import annotations

import functools
from typing import Any

from moto.awslambda.models import LambdaFunction

_TARGET = "DeadLetterConfig"


@functools.cache
def install() -> None:
    """Correct moto for this process, once."""
    begin, update, describe = (
        LambdaFunction.__init__,
        LambdaFunction.update_configuration,
        LambdaFunction.get_configuration,
    )

    @functools.wraps(begin)
    def begin_and_remember(self: Any, account_id: str, spec: dict[str, Any], *more: Any, **named: Any) -> None:
        self.dead_letter_config = spec.get(_TARGET)
        begin(self, account_id, spec, *more, **named)

    @functools.wraps(update)
    def update_configuration(self: Any, config_updates: dict[str, Any]) -> Any:
        if _TARGET in config_updates:
            self.dead_letter_config = config_updates[_TARGET]
        return update(self, config_updates)

    @functools.wraps(describe)
    def get_configuration(self: Any, on_create: bool = False) -> dict[str, Any]:
        described = describe(self, on_create)
        return described | ({_TARGET: self.dead_letter_config} if self.dead_letter_config else {})

    function: Any = LambdaFunction
    function.__init__ = begin_and_remember
    function.update_configuration = update_configuration
    function.get_configuration = get_configuration
