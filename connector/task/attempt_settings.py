"""What attempts are made with."""

from __future__ import annotations

from dataclasses import dataclass

from connector.subscription import GraphQLRequest
from connector.task.keep_alive import KeepAlivePolicy
from connector.task.progress import STEADY_AFTER


@dataclass(frozen=True, kw_only=True, slots=True)
class AttemptSettings:
    """
    What every attempt of a subscription, which is called ``name``, is made with.

    ``reopens`` is false where a session outlives its token; ``steady_after`` are the seconds of life after
    which an attempt that brought data is proven.
    """

    name: str
    request: GraphQLRequest
    keep_alive: KeepAlivePolicy
    reopens: bool
    steady_after: float = STEADY_AFTER
