"""
``python -m tests.standins.upstream``: upstream and token endpoint as a process of their own.

Prints NDJSON on stdout: first ``{"event": "listening", …}`` with the ports, at the end (SIGTERM, SIGINT)
one ``{"event": "summary", …}``. With ``--ledger DIR`` it leaves ``DIR/FEED.json`` for ``Ledger.load``. The
control port takes ``POST /begin|/behave|/rate|/tokens|/summary``: see ``control``.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from tests.standins.behaviour import Close, Fin, InBandError, InConnection, Rst, Silence, Stall
from tests.standins.feed import Feed
from tests.standins.httpd import HttpReply, HttpRequest, HttpServer
from tests.standins.oauth import StandInOAuth
from tests.standins.rows import RowStyle
from tests.standins.tokens import TokenAuthority
from tests.standins.upstream import StandInUpstream

CLIENT_ID = "STANDIN_CLIENT_ID"
CLIENT_SECRET = "STANDIN_CLIENT_SECRET"


def arguments() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="tests.standins.upstream", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--oauth-port", type=int, default=0)
    parser.add_argument("--control-port", type=int, default=0)
    parser.add_argument("--token-life", type=float, default=3600.0, metavar="SECONDS")
    parser.add_argument("--feeds", default="rows", help="names, joined by commas")
    parser.add_argument("--rate", default="100", help="rows per second and feed; 'full': as fast as taken")
    parser.add_argument("--rows-per-frame", type=int, default=10)
    parser.add_argument("--row-bytes", type=int, default=1000)
    parser.add_argument("--limit", type=int, default=None, help="rows per feed")
    parser.add_argument("--ledger", type=Path, default=None, metavar="DIR")
    return parser


def control(upstream: StandInUpstream, path: str, order: Mapping[str, object]) -> object:
    """
    Carry one order out.

    ``/begin {"trouble": "fin|rst|stall|silence|error|CODE", "feed": NAME}`` · ``/behave {FIELD: VALUE}``
    for fields that JSON can say · ``/rate {"feed": NAME, "rate": R}`` · ``/tokens {"do": "revoke_all"}`` or
    ``{"life": SECONDS}`` · ``/summary``. Raises: KeyError, ValueError: An order that makes no sense.
    """
    if path == "/begin":
        feed = order.get("feed")
        trouble = _trouble(str(order["trouble"]), str(order.get("reason", "")))
        return upstream.begin(trouble, feed=feed if isinstance(feed, str) else None)
    if path == "/behave":
        upstream.behave(feed=None, **{name: value for name, value in order.items() if name != "feed"})
    elif path == "/rate":
        rate = order["rate"]
        upstream.feeds[str(order["feed"])].rate = None if rate is None else float(str(rate))
    elif path == "/tokens":
        if order.get("do") == "revoke_all":
            upstream.authority.revoke_all()
        if "life" in order:
            upstream.authority.life = float(str(order["life"]))
    elif path != "/summary":
        raise ValueError(f"no such order: {path}")
    return summary(upstream)


def summary(upstream: StandInUpstream) -> dict[str, object]:
    """What happened so far; no secret in it."""
    return {
        "feeds": {name: feed.ledger.summary() for name, feed in upstream.feeds.items()},
        "attempts": len(upstream.attempts),
        "sessions": len(upstream.sessions),
        "open": len(upstream.open_sessions),
        "tokens": len(upstream.authority.issued),
        "violations": upstream.violations,
    }


def _trouble(name: str, reason: str) -> InConnection:
    simple: dict[str, InConnection] = {
        "fin": Fin(),
        "rst": Rst(),
        "stall": Stall(),
        "silence": Silence(keepalive=False),
        "error": InBandError(message=reason or "Unauthorized"),
    }
    return simple[name] if name in simple else Close(int(name), reason)


async def serve(options: argparse.Namespace) -> None:
    """Run until SIGTERM or SIGINT."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    authority = TokenAuthority(life=options.token_life)
    feeds = [_feed(name, options) for name in options.feeds.split(",")]
    upstream = StandInUpstream(authority, feeds, host=options.host, port=options.port)
    oauth = StandInOAuth(
        authority,
        client_id=os.environ.get(CLIENT_ID),
        client_secret=os.environ.get(CLIENT_SECRET),
        host=options.host,
        port=options.oauth_port,
    )

    async def answer(request: HttpRequest) -> HttpReply:
        try:
            result = control(upstream, request.path, json.loads(request.body or b"{}"))
        except (KeyError, TypeError, ValueError) as mistake:
            return HttpReply(status=400, body=json.dumps({"error": str(mistake)}).encode())
        return HttpReply(body=json.dumps(result).encode())

    async with oauth, HttpServer(answer, port=options.control_port) as controls, upstream:
        _say(
            event="listening",
            port=upstream.port,
            oauth_port=oauth.server.port,
            control_port=controls.port,
            url=upstream.url,
            token_url=oauth.url,
        )
        await stop.wait()
    if options.ledger is not None:
        for name, feed in upstream.feeds.items():
            feed.ledger.save(options.ledger / f"{name}.json")
    _say(event="summary", **summary(upstream))


def _feed(name: str, options: argparse.Namespace) -> Feed:
    return Feed(
        name,
        rate=None if options.rate == "full" else float(options.rate),
        rows_per_frame=options.rows_per_frame,
        limit=options.limit,
        row_style=RowStyle(row_bytes=options.row_bytes),
    )


def _say(**line: object) -> None:
    print(json.dumps(line), flush=True)


def main(argv: Sequence[str] | None = None) -> None:
    """Parse the command line and serve."""
    asyncio.run(serve(arguments().parse_args(sys.argv[1:] if argv is None else argv)))
