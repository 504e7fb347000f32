"""Forks tasks for the tests: preloads, then reads one JSON line of settings after another and answers with a pid.

The write end of the port report arrives as a descriptor that this process inherited before; so each task gets its
own pipe here, and the answer is {"pid", "port", "fork_seconds"}. Ends, with all tasks, when its input ends.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import traceback

from sandbox.service import task


def main() -> None:
    """Serve the loop; see the module."""
    task.preload()
    children: set[int] = set()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_fork(json.loads(line), children)) + "\n")
        sys.stdout.flush()
    for child in children:
        try:
            os.kill(child, signal.SIGKILL)
        except ProcessLookupError:
            continue


def _fork(settings: dict[str, object], children: set[int]) -> dict[str, object]:
    read, write = os.pipe()
    started = time.monotonic()
    child = os.fork()
    if child == 0:
        os.close(read)
        _serve({**settings, "port_report_fd": write})
    children.add(child)
    os.close(write)
    with os.fdopen(read) as report:
        port = report.readline().strip()
    seconds = time.monotonic() - started
    return {"pid": child, "port": int(port) if port else None, "fork_seconds": seconds}


def _serve(settings: dict[str, object]) -> None:
    code = 1
    try:
        task.run(settings)
        code = 0
    except SystemExit as ended:
        code = int(ended.code or 0)
    except BaseException:
        traceback.print_exc()  # the test's output shows why; nothing else would, after _exit
        raise
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
