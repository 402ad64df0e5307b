"""Whether a session can be opened: one socket, ``connection_init``, and nothing that is billed."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace

import anyio

from connector.probe.finding import Finding
from connector.probe.refused import CHECKS, SUBPROTOCOL_REFUSED, Judge
from connector.subscription import RawPayload, SessionError, SessionSettings, Transport
from connector.task import KeepAlivePolicy
from connector.upstream import Target

LOOK = 0.05
"""Seconds between two looks for a sign of life."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """What is opened, and how; ``subject`` is its URL as it may be shown."""

    subject: str
    target: Target
    settings: SessionSettings
    keep_alive: KeepAlivePolicy
    judge: Judge


async def probe_endpoint(
    endpoint: Endpoint, token: str | None, *, is_unproven: bool = False, tell: Callable[[str], None]
) -> list[Finding]:
    """
    Return what each step of opening a session came to.

    ``is_unproven``: there is no token although one is needed, so it is only seen whether somebody answers.
    ``tell`` is told what is being done.
    """
    if is_unproven:
        return await _Attempt(endpoint, endpoint.settings, None, tell).reach()
    offers = endpoint.settings.subprotocols
    found: list[Finding] = []
    for turn in range(len(offers)):
        settings = replace(endpoint.settings, subprotocols=(*offers[turn:], *offers[:turn]))
        found = await _Attempt(endpoint, settings, token, tell).run()
        # Some servers select whatever is offered first, and close when they do not speak it.
        if not any(one.facts.get("reason") == SUBPROTOCOL_REFUSED for one in found):
            break
    return found


class _Attempt:
    """One socket."""

    def __init__(
        self, endpoint: Endpoint, settings: SessionSettings, token: str | None, tell: Callable[[str], None]
    ) -> None:
        self._judge = endpoint.judge
        self._subject = endpoint.subject
        self._settings = settings
        self._keep_alive = endpoint.keep_alive
        self._tell = tell
        self._transport = Transport(endpoint.target.opening(token), settings, payload_type=RawPayload)
        self._found: list[Finding] = []

    async def reach(self) -> list[Finding]:
        """Try the upgrade without a token: any answer to it shows that somebody is there."""
        why = "there is no token to open a session with"
        try:
            await self._transport.open()
        except SessionError as error:
            if error.symptom.place == "connect":
                self._stopped(error)
                return self._found
        finally:
            self._transport.abort()
        self._ok("connection", "the upgrade, tried without a token, is answered")
        self._unchecked("handshake", why)
        return self._found

    async def run(self) -> list[Finding]:
        """Open a session and close it in good order."""
        try:
            try:
                await self._open()
                await self._initialise()
            except SessionError as error:
                self._stopped(error)
                return self._found
            await self._sign_of_life()
            await self._close()
        finally:
            self._transport.abort()
        return self._found

    async def _open(self) -> None:
        self._tell("opens a socket")
        began = time.monotonic()
        await self._transport.open()
        took = time.monotonic() - began
        proxy = self._settings.proxy
        through = f" through the proxy {proxy}" if proxy is not None else ""
        said = f"the upgrade is answered after {took:.2f} s{through}"
        self._ok("connection", said, seconds=round(took, 3))
        self._ok("handshake", "HTTP 101", status=101)
        selected = self._transport.subprotocol
        self._ok("subprotocol", f"{selected} was selected", subprotocol=selected)

    async def _initialise(self) -> None:
        self._tell("waits for connection_ack")
        began = time.monotonic()
        await self._transport.initialise()
        took = time.monotonic() - began
        self._ok("connection_ack", f"after {took:.2f} s", seconds=round(took, 3))

    async def _sign_of_life(self) -> None:
        """Wait for something that is not the acknowledgement; where we would probe, ask for it."""
        self._tell("waits for a keep-alive")
        began, limit = time.monotonic(), self._keep_alive.keepalive_timeout
        ended: list[SessionError] = []
        heard = False
        asks = self._keep_alive.probe or self._keep_alive.ping_interval is not None
        with anyio.move_on_after(limit):
            async with anyio.create_task_group() as group:
                group.start_soon(self._receive, ended)
                if asks:
                    await self._transport.probe()
                # Nobody tells: a pong of the websocket reaches no reader.
                while not ended and not (heard := self._transport.last_heard_at > began):  # noqa: ASYNC110
                    await anyio.sleep(LOOK)
                group.cancel_scope.cancel()
        took = time.monotonic() - began
        if ended:
            self._found.append(self._judge.refusal(self._subject, "keep-alive", ended[0]))
        elif heard:
            what = "our ping was answered" if asks else "the first one came"
            self._ok("keep-alive", f"{what} after {took:.2f} s", seconds=round(took, 3))
        else:
            self._found.append(self._judge.silence(self._subject, limit, asked=asks))

    async def _receive(self, ended: list[SessionError]) -> None:
        """Read, so that pings are answered, until the peer ends it."""
        try:
            while await self._transport.receive() is not None:
                pass
        except SessionError as error:
            ended.append(error)

    async def _close(self) -> None:
        self._tell("closes the socket")

        async def read_on() -> None:
            with suppress(SessionError):
                while await self._transport.receive() is not None:
                    pass

        async with anyio.create_task_group() as group:
            group.start_soon(read_on)
            await self._transport.finish()
            group.cancel_scope.cancel()

    # What is said

    def _stopped(self, error: SessionError) -> None:
        check = self._judge.place_of(error)
        for passed in CHECKS[: CHECKS.index(check)]:
            if not any(one.check == passed for one in self._found):
                self._ok(passed, "")
        self._found.append(self._judge.refusal(self._subject, check, error))

    def _ok(self, check: str, detail: str, **facts: object) -> None:
        self._found.append(
            Finding(
                area="endpoint", subject=self._subject, check=check, outcome="ok", detail=detail, facts=facts
            )
        )

    def _unchecked(self, check: str, why: str) -> None:
        self._found.append(
            Finding(area="endpoint", subject=self._subject, check=check, outcome="not checked", detail=why)
        )
