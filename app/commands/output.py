"""When what a command says cannot be written: nobody reads it any more, or there is no room."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from errno import ENOSPC, EPIPE

FULL = "не записано: на диске или в устройстве вывода нет места"


def sentence(fault: OSError) -> str:
    """What the system refused, for people; empty where nobody is left to be told: a pipe was closed."""
    if fault.errno == EPIPE:
        return ""
    if fault.errno == ENOSPC:
        return f"{FULL}: {fault.filename}" if fault.filename else FULL
    return f"{fault.strerror or fault}: {fault.filename or ''}".rstrip(": ")


def silence() -> None:
    """What is still to be written goes nowhere, else the interpreter would complain of it at its end."""
    with suppress(OSError, ValueError):  # ValueError: an output without a number
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
