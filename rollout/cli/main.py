"""The command line: the group of all commands, and what each kind of error means to the caller."""

from __future__ import annotations

import traceback
from collections.abc import Sequence

import click

from rollout.cli.application import Application
from rollout.cli.confirm import confirm
from rollout.cli.exits import Exit
from rollout.cli.explain import explain
from rollout.cli.extend import extend
from rollout.cli.history import history
from rollout.cli.pause import pause
from rollout.cli.plan import plan
from rollout.cli.resume import resume
from rollout.cli.rollback import rollback
from rollout.cli.run import run
from rollout.cli.status import status
from rollout.errors import AccessDenied, InvariantBroken, RolloutError, SourceError


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
def rollout() -> None:
    """Move customers to a new version in stages, and take them back when it hurts.

    Exit codes: 0 done, 2 bad input, 6 not decidable or holding, 10 gate failed, 11 rolled back, 12 rollback not
    verified, 13 still running, 70 a bug.
    """


_REACH = (
    "Is it reachable? Ask `python -m sandbox status` for the sandbox, `aws sts get-caller-identity` for an account; "
    "then run this again."
)

for _command in (plan, run, status, rollback, pause, resume, extend, confirm, history, explain):
    rollout.add_command(_command)


def main(arguments: Sequence[str] | None = None, application: Application | None = None) -> int:
    """Run one command and answer its exit code; every error is one sentence on standard error."""
    given = None if arguments is None else list(arguments)
    try:
        code = rollout.main(given, "rollout", standalone_mode=False, obj=application or Application())
    except click.ClickException as error:
        error.show()
        return Exit.BAD_INPUT
    except (click.Abort, KeyboardInterrupt):
        click.echo("rollout: interrupted", err=True)
        return Exit.BAD_INPUT
    except InvariantBroken as error:
        click.echo(f"rollout: {error}", err=True)
        return Exit.BUG
    except RolloutError as error:
        click.echo(f"rollout: {_told(error)}", err=True)
        return Exit.BAD_INPUT
    except Exception:  # noqa: BLE001 - the contract has a code for a bug, and a caller must not take it for a verdict
        click.echo(f"rollout: a bug; please report it with these lines\n{traceback.format_exc()}", err=True)
        return Exit.BUG
    return int(code or 0)


def _told(error: RolloutError) -> str:
    """The error's own sentence; a service that did not answer a person's command is not asked again by a next tick."""
    if isinstance(error, AccessDenied) or not isinstance(error, SourceError):
        return str(error)
    where = f" ({error.target})" if error.target else ""
    return f"{error.what}{where}. {_REACH}"
