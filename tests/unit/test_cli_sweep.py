"""What ``bitsmith sweep`` ends with."""

from __future__ import annotations

from typing import Any

import pytest

from bitsmith.flows.cli.sweep import _code

EXACT: dict[str, Any] = {"verified": True}
NOT_EXACT: dict[str, Any] = {"verified": False}
NOT_BUILT: dict[str, Any] = {"verified": False, "error": "verilator is missing"}


@pytest.mark.parametrize(
    ("front", "code"),
    [
        ([EXACT, EXACT], 0),
        ([EXACT, NOT_BUILT], 4),
        ([EXACT, NOT_EXACT], 5),
        ([NOT_BUILT, NOT_EXACT], 5),
    ],
)
def test_the_exit_code_tells_the_worst_of_the_front(front: list[dict[str, Any]], code: int) -> None:
    assert _code(front) == code
