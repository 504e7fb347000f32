"""`python -m loadtests COMMAND`: run, judge."""

from __future__ import annotations

import sys

from loadtests import judge_command, run_command

COMMANDS = {"run": run_command.main, "judge": judge_command.main}


def main(arguments: list[str]) -> int:
    """The exit code of the command; 2 for one that does not exist."""
    command = COMMANDS.get(arguments[0]) if arguments else None
    if command is None:
        sys.stderr.write(f"usage: python -m loadtests {{{','.join(COMMANDS)}}} ... (--help after a command)\n")
        return 2
    return command(arguments[1:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
