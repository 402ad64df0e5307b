"""Logs: one handler, to stderr, whose last step is the redaction of every line."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping, MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog

from connector.telemetry.floods import Floods
from connector.telemetry.redaction import Redactor
from connector.telemetry.terminal import printable, printable_lines

Format = Literal["auto", "json", "console"]
Event = MutableMapping[str, Any]

NEVER_DEBUG = ("websockets",)
"""
Their debug lines hold frames cut in the middle, where no redaction can recognise a token.
"""

ONLY_DEBUG = ("uvicorn.error",)
"""They tell at INFO what we tell ourselves; heard when the level is DEBUG, else from WARNING."""

ONLY_WARNINGS = ("httpx2", "httpcore2", "aiokafka.conn")
"""
They log whole URLs and headers, or requests with passwords and tokens in them, cut in the middle; and each
connection that is authenticated, which is no news.
"""

OFF = ("uvicorn.access",)

_OF_LINES = ("exception", "stack")

_FIRST = ("time", "level", "logger", "event")


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    def __init__(self, redact: Callable[[str], str], **options: Any) -> None:
        super().__init__(**options)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


class _JsonFormatter(_RedactingFormatter):
    """A secret next to one of JSON's own quotes could take the quote along: the line stays JSON."""

    def format(self, record: logging.LogRecord) -> str:
        line = super().format(record)
        try:
            json.loads(line)
        except ValueError:
            whole = {"time": _now(), "level": record.levelname.lower(), "logger": record.name, "event": line}
            return self._redact(json.dumps(whole))
        return line


class _Handler(logging.StreamHandler[TextIO]):
    """
    ``for_people`` says that its lines are not JSON.

    A record that cannot be rendered is named, never shown: its traceback would hold its arguments.
    """

    for_people = False

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        try:
            self.stream.write(f"a log record of {record.name} could not be rendered\n")
        except (OSError, ValueError):
            return  # nobody reads it


def configure_logs(level: str, format: Format, redactor: Redactor, stream: TextIO | None = None) -> None:
    """
    Send every log, warning and uncaught exception through ``redactor`` to ``stream`` (``None``: stderr).

    ``level`` is the least level; ``format`` of "auto" is for people on a terminal, JSON elsewhere.
    """
    stream = stream or sys.stderr
    is_terminal = stream.isatty()
    console = format == "console" or (format == "auto" and is_terminal)
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _add_time,
        structlog.processors.StackInfoRenderer(),
    ]
    handler = _Handler(stream)
    handler.for_people = console
    handler.setFormatter(
        _console(
            redactor,
            before,
            colors=is_terminal and not os.environ.get("NO_COLOR"),
            loggers=level.lower() == "debug",
        )
        if console
        else _json(redactor, before)
    )
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    _install(handler, logging.getLevelNamesMapping()[level.upper()])


def people_read() -> bool:
    """Return whether the log is for people, as on a terminal, and not JSON."""
    return any(isinstance(one, _Handler) and one.for_people for one in logging.getLogger().handlers)


def _console(redactor: Redactor, before: list[Any], *, colors: bool, loggers: bool) -> logging.Formatter:
    renderer = structlog.dev.ConsoleRenderer(
        colors=colors,
        timestamp_key="time",
        exception_formatter=structlog.dev.plain_traceback,
    )
    names = [] if loggers else [_drop_own_logger]
    render = [structlog.processors.format_exc_info, _drop_meta, *names, _printable, renderer]
    return _RedactingFormatter(redactor.redact, foreign_pre_chain=before, processors=render)


def _json(redactor: Redactor, before: list[Any]) -> logging.Formatter:
    renderer = structlog.processors.JSONRenderer(default=str)
    render = [structlog.processors.format_exc_info, _drop_meta, _in_order, renderer]
    return _JsonFormatter(redactor.redact, foreign_pre_chain=before, processors=render)


def _drop_meta(_: object, __: str, event: Event) -> Event:
    record = event.pop("_record")
    del event["_from_structlog"]
    if suppressed := getattr(record, "suppressed", 0):
        event["suppressed"] = suppressed
    return event


def _drop_own_logger(_: object, __: str, event: Event) -> Event:
    """Our lines tell by themselves what they are about; those of a library do not."""
    if str(event.get("logger")).partition(".")[0] == "connector":
        del event["logger"]
    return event


def _printable(_: object, __: str, event: Event) -> Event:
    """What the upstream said goes to a terminal: it shall obey none of it, and no line be forged."""
    return {printable(name): _shown(name, value) for name, value in event.items()}


def _shown(name: str, value: object) -> object:
    if isinstance(value, str):
        return printable_lines(value) if name in _OF_LINES else printable(value)
    return value if isinstance(value, int | float | None) else printable(repr(value))


def _add_time(_: object, __: str, event: Event) -> Event:
    event["time"] = _now()
    return event


def _now() -> str:
    """Return the time as RFC 3339 has it, in UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _in_order(_: object, __: str, event: Event) -> Event:
    return {name: event.pop(name) for name in _FIRST if name in event} | dict(event)


def _install(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    if level > logging.DEBUG:
        handler.addFilter(Floods())
    for name in NEVER_DEBUG:
        logging.getLogger(name).setLevel(max(level, logging.INFO))
    for name in ONLY_DEBUG:
        logging.getLogger(name).setLevel(level if level <= logging.DEBUG else max(level, logging.WARNING))
    for name in ONLY_WARNINGS:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    for name in OFF:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    # A handler's own failure would be printed with the record's arguments.
    logging.raiseExceptions = False
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    sys.unraisablehook = _unraisable
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("connector").critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        _uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def _unraisable(arguments: sys.UnraisableHookArgs) -> None:
    # The object is not named: its repr may hold anything.
    if arguments.exc_value is not None:
        logging.getLogger("connector").error("exception in a finalizer", exc_info=arguments.exc_value)


def install_loop_handler(loop: asyncio.AbstractEventLoop) -> None:
    """Log what the event loop would print by itself."""

    def handle(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        # The loop shortens arguments in the middle, where no redaction can recognise a token.
        message = str(context.get("message")).partition("(")[0]
        # Futures of a producer that was given up: what they held was sent again by the next one.
        forgotten = "never retrieved" in message and type(error).__module__.startswith("aiokafka.")
        logging.getLogger("connector").log(
            logging.DEBUG if forgotten else logging.ERROR,
            "event loop: %s",
            message,
            exc_info=error if isinstance(error, BaseException) else None,
        )

    loop.set_exception_handler(handle)
