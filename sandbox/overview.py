"""The status of a sandbox as lines for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def lines(status: Mapping[str, Any]) -> list[str]:
    """One screen: what, where, who serves, what is planted, what is wrong."""
    clock = status["clock"]
    versions = ", ".join(f"{name} {version}" for name, version in status["versions"].items())
    text = [
        f"sandbox {status['name']} on {status['address']}, up for {status['up_seconds']:.0f} s, "
        f"{status['memory_mib']:.0f} MiB, clock x{clock['factor']:g}",
        f"  {versions}",
    ]
    for name, url in status["urls"].items():
        text.append(f"  {name:12} {url}")
    for slot, side in status["slots"].items():
        text.append(
            f"  {slot:6} {status['weights'].get(slot, 0):3d} % of customers, "
            f"{side['running']} of {side['desired']} tasks run"
        )
        for task in side["tasks"]:
            text.append(f"         {task['version']} {task['health']:10} {task['ip']}:{task['port']} pid {task['pid']}")
    for slot, faults in status["faults"].items():
        text.append(f"  fault  {slot}: " + ", ".join(f"{name}={value}" for name, value in faults.items()))
    text += [f"  WRONG  {problem}" for problem in status["problems"]]
    return text
