"""Logs: one handler, to stderr, whose last step is the redaction of every line."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Literal, TextIO

import structlog

from connector.telemetry.redaction import Redactor

Format = Literal["auto", "json", "console"]

QUIET = ("websockets", "httpx2", "httpcore2", "uvicorn.access", "uvicorn.error", "asyncio")
"""
Never below INFO: their debug lines hold handshakes, frames and URLs, some of them cut in the middle, where
no redaction can recognise a token.
"""


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    def __init__(self, redactor: Redactor, **options: Any) -> None:
        super().__init__(**options)
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(super().format(record))


class _Handler(logging.StreamHandler[TextIO]):
    """A record that cannot be rendered is named, never shown: its traceback would hold its arguments."""

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
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
        structlog.processors.StackInfoRenderer(),
    ]
    render: list[Any] = [structlog.stdlib.ProcessorFormatter.remove_processors_meta]
    if console:
        render += [
            structlog.processors.format_exc_info,
            structlog.dev.ConsoleRenderer(
                colors=is_terminal,
                timestamp_key="time",
                exception_formatter=structlog.dev.plain_traceback,
            ),
        ]
    else:
        render += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer(default=str)]
    handler = _Handler(stream)
    handler.setFormatter(_RedactingFormatter(redactor, foreign_pre_chain=before, processors=render))
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


def _install(handler: logging.Handler, level: int) -> None:
    root = logging.getLogger()
    for old in list(root.handlers):
        root.removeHandler(old)
    root.addHandler(handler)
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(True)
    sys.excepthook = _uncaught
    threading.excepthook = _uncaught_in_thread


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("connector").critical("uncaught exception", exc_info=(kind, error, trace))


def _uncaught_in_thread(arguments: threading.ExceptHookArgs) -> None:
    if arguments.exc_value is not None:
        _uncaught(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)


def install_loop_handler(loop: asyncio.AbstractEventLoop) -> None:
    """Log what the event loop would print by itself."""

    def handle(loop: asyncio.AbstractEventLoop, context: Mapping[str, Any]) -> None:
        error = context.get("exception")
        # Futures of a producer that was given up: what they held was sent again by the next one.
        forgotten = "never retrieved" in str(context.get("message")) and (
            type(error).__module__.startswith("aiokafka.")
        )
        logging.getLogger("connector").log(
            logging.DEBUG if forgotten else logging.ERROR,
            "event loop: %s",
            context.get("message"),
            exc_info=error if isinstance(error, BaseException) else None,
        )

    loop.set_exception_handler(handle)
