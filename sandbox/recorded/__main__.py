"""Serves the recorded account by itself, without a load balancer or tasks: `python -m sandbox.recorded --outputs FILE`.

For whoever develops checks against it: the endpoint and Terraform's outputs stand in FILE until Ctrl-C.
"""

from __future__ import annotations

import secrets
import signal
import tempfile
import threading
from pathlib import Path

import click

from sandbox.addresses import claim_addresses
from sandbox.clock import ClockWriter
from sandbox.cloud.plane import CloudPlane
from sandbox.recorded.kept import NoTasks, account_memory, recorded
from sandbox.service.image import VERSIONS, digest
from sandbox.state import StateDirectory


@click.command()
@click.option("--outputs", type=click.Path(path_type=Path), required=True, help="Where outputs.json is written.")
def main(outputs: Path) -> None:
    """Serve the recorded account until SIGINT or SIGTERM."""
    stopped = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    values = {
        "test_header_value": secrets.token_urlsafe(24),
        "service_image_digest": digest(VERSIONS[0]).removeprefix("sha256:"),
        "engine_image_digest": secrets.token_hex(32),
    }
    addresses = claim_addresses()
    with tempfile.TemporaryDirectory(prefix="recorded-account-") as scratch:
        clock = ClockWriter(Path(scratch) / "clock")
        memory = account_memory(values, directory=Path(scratch) / "accounts")
        plane = CloudPlane(clock, NoTasks(), address=addresses.internal, memory=memory)
        try:
            endpoint_url = plane.start()
            document = recorded().outputs_with(values) | {"aws_endpoint_url": {"value": endpoint_url}}
            StateDirectory(outputs.parent).write_json(outputs, document, mode=0o600)
            click.echo(f"{endpoint_url} as in {outputs}; Ctrl-C ends it")
            stopped.wait()
        finally:
            plane.stop()
            addresses.release()
            outputs.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
