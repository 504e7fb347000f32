"""The one error the sandbox shows to people."""

from __future__ import annotations


class SandboxError(Exception):
    """Something a person can act on: what went wrong, and what to do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(f"{message}. {remedy}" if remedy else message)
        self.message = message
        self.remedy = remedy
