"""What the recorded account holds: `python -m infrastructure.recorded_inventory` writes it beside the recording.

Ids follow from the requests that made a resource, so an inventory fits one recording, and is taken of its replay, which
every sandbox starts from. Whoever records anew, takes it anew.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from infrastructure.declaration import declaration
from infrastructure.drill import ENVIRONMENT
from probes.account.census import inventory, views
from probes.account.inventory import write_inventory
from probes.account.session import Account
from probes.change_files import INVENTORY
from sandbox.addresses import claim_addresses
from sandbox.clock import ClockWriter
from sandbox.cloud.plane import CloudPlane
from sandbox.errors import SandboxError
from sandbox.recorded.kept import NoTasks, account_memory, recorded
from sandbox.recorded.recording import RECORDING

PLACE = RECORDING.parent / "change"
_ZEROES = {"service_image_digest": "0" * 64, "engine_image_digest": "0" * 64, "test_header_value": "none"}


def replayed_kinds(scratch: Path) -> Mapping[str, Any]:
    """Names by kind in a replay of the recording; moto has to be free. Raises SandboxError where it does not replay."""
    addresses = claim_addresses()
    memory = account_memory(_ZEROES, directory=scratch / "accounts")
    plane = CloudPlane(ClockWriter(scratch / "clock"), NoTasks(), address=addresses.internal, memory=memory)
    try:
        endpoint_url = plane.start()
        outputs = {name: one["value"] for name, one in recorded().outputs_with(_ZEROES).items()}
        account = Account(region=str(outputs["region"]), endpoint_url=endpoint_url)
        return inventory(views(account, declaration(ENVIRONMENT, outputs)))
    finally:
        plane.stop()
        addresses.release()


def unread(kinds: Mapping[str, Any]) -> list[str]:
    """Kinds that could not be listed: an inventory without them would never be equal to anything."""
    return sorted(kind for kind, names in kinds.items() if names is None)


@click.command()
def main() -> None:
    """Replay the recording, and write down what there is then."""
    try:
        with tempfile.TemporaryDirectory(prefix="recorded-inventory-") as scratch:
            kinds = replayed_kinds(Path(scratch))
    except SandboxError as error:
        click.echo(f"nothing was written: {error}", err=True)
        sys.exit(1)
    if unread(kinds):
        click.echo(f"nothing was written, could not be listed: {', '.join(unread(kinds))}", err=True)
        sys.exit(1)
    PLACE.mkdir(parents=True, exist_ok=True)
    (PLACE / INVENTORY).write_bytes(write_inventory(ENVIRONMENT, kinds, taken=datetime.now(UTC)))
    click.echo(f"{sum(map(len, kinds.values()))} resources of {len(kinds)} kinds")


if __name__ == "__main__":
    main()
