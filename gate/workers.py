"""xdist: hands the run to the workers, and items out in order."""

from __future__ import annotations

from typing import Any

import pytest

from gate.settings import RUN


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Tell a worker which run it belongs to."""
    run = node.config.stash.get(RUN, None)
    if run is not None:
        node.workerinput["gate_run"] = [run.run_id, run.environment, str(run.directory), run.started]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """In a gate run always the scheduler that keeps the order, one item at a time.

    Others (loadscope, worksteal) may queue a scenario behind one that waits for it: a deadlock.
    """
    if RUN not in config.stash:
        return None
    from xdist.scheduler import LoadScheduling  # type: ignore[import-untyped] # xdist is optional and has no types

    class InOrder(LoadScheduling):  # type: ignore[misc] # see above
        """Earliest items first, and never an item behind a later one, not even what a dead worker gave back."""

        def _send_tests(self, node: Any, num: int) -> None:
            last = max(self.node2pending[node], default=-1)
            chosen = [index for index in sorted(self.pending) if index > last][:num]
            self.pending[:] = [*chosen, *sorted(set(self.pending) - set(chosen))]
            super()._send_tests(node, len(chosen))

        def schedule(self) -> None:
            """Hand out, then let go of workers that get nothing more."""
            super().schedule()
            # A worker keeps its last item until it knows the next one or that there is none. For a worker that
            # replaces a dead one nobody says so, and others may wait for that very item.
            if self.collection is not None and not self.pending:
                for node in self.nodes:
                    node.shutdown()

    if config.option.maxschedchunk is None:
        config.option.maxschedchunk = 1
    return InOrder(config, log)
