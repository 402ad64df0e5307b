"""Free TCP ports of the loopback interface."""

import contextlib
import random
import socket

CANDIDATES = range(20_000, 32_000)
"""Below the ports that systems hand to outgoing connections, so that a killed broker gets its port back."""


def free_ports(count: int) -> list[int]:
    """Distinct ports on which nobody listens. Between this and their use somebody may."""
    found: list[int] = []
    with contextlib.ExitStack() as held:
        while len(found) < count:
            listener = held.enter_context(socket.socket())
            port = random.choice(CANDIDATES)
            with contextlib.suppress(OSError):
                listener.bind(("127.0.0.1", port))
                found.append(port)
    return found


def accepts(port: int) -> bool:
    """Whether somebody listens on this port."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1.0).close()
    except OSError:
        return False
    return True
