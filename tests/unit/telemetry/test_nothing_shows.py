"""
Promise 5 for logs: everything that may write a line is made to write secrets, and the lines are searched.

Does not prove that a library cannot print to stderr by itself.
"""

import asyncio
import gc
import io
import logging
import sys
import threading
import warnings
from collections.abc import Callable

import pytest
import structlog

from connector.telemetry import Redactor, configure_logs, install_loop_handler
from connector.telemetry.logs import Format
from tests.unit.telemetry.encodings import ENCODERS, shown

SECRETS = ('q"+7/=%Zk1oW-abc', "to/ken+with%=and\"quotes'&<x>")

pytestmark = pytest.mark.usefixtures("process_logging")


class Unprotected(Redactor):
    """What there would be without redaction."""

    def redact(self, text: str) -> str:
        return text


def raises(text: str) -> None:
    raise ValueError(f"refused {text}") from RuntimeError(text)


def by_structlog(text: str) -> None:
    log = structlog.get_logger("connector")
    log.debug("sent", url=f"ws://h/?x={text}", nested={"headers": [text, (text,)]}, raw=text.encode())
    log.bind(token=text).info(text)
    try:
        raises(text)
    except ValueError:
        log.exception("failed", stack_info=True)


def by_libraries(text: str) -> None:
    for name in ("aiokafka", "httpx2", "asyncio", "elsewhere"):
        logging.getLogger(name).debug("answer %s %r", text, {"a": text})
    try:
        raises(text)
    except ValueError:
        logging.getLogger("elsewhere").error("failed", exc_info=True, stack_info=True)


def by_warning(text: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn(text, UserWarning, stacklevel=1)


def uncaught(text: str) -> None:
    try:
        raise ExceptionGroup(text, [ValueError(text), KeyError(text)])
    except ExceptionGroup as error:
        sys.excepthook(type(error), error, error.__traceback__)


def uncaught_in_a_thread(text: str) -> None:
    thread = threading.Thread(target=raises, args=(text,))
    thread.start()
    thread.join()


def in_a_finalizer(text: str) -> None:
    class Fails:
        def __del__(self) -> None:
            raises(text)

    Fails()
    gc.collect()


def in_the_event_loop(text: str) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        install_loop_handler(loop)
        loop.call_soon(raises, text)
        loop.call_exception_handler({"message": f"by hand {text}", "exception": ValueError(text)})
        forgotten = loop.create_future()
        forgotten.set_exception(ValueError(text))
        del forgotten
        gc.collect()
        done = asyncio.Event()
        loop.call_soon(done.set)
        await done.wait()

    asyncio.run(main())


WRITERS: tuple[Callable[[str], None], ...] = (
    by_structlog,
    by_libraries,
    by_warning,
    uncaught,
    uncaught_in_a_thread,
    in_a_finalizer,
    in_the_event_loop,
)


def written(redactor: Redactor, format: Format, secret: str, writer: Callable[[str], None]) -> str:
    stream = io.StringIO()
    redactor.add(secret)
    configure_logs("debug", format, redactor, stream)
    for encode in ENCODERS.values():
        writer(encode(secret))
    return stream.getvalue()


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
@pytest.mark.parametrize("format", ["json", "console"])
@pytest.mark.parametrize("secret", SECRETS)
def test_no_encoding_of_a_secret_is_written_at_debug(
    secret: str, format: Format, writer: Callable[[str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    text = written(Redactor(), format, secret, writer)
    past_the_handler = "".join(capfd.readouterr())

    assert "***" in text
    assert shown(secret, text) == []
    assert past_the_handler == ""


@pytest.mark.parametrize("writer", WRITERS, ids=lambda writer: writer.__name__)
@pytest.mark.parametrize("format", ["json", "console"])
def test_without_redaction_the_same_search_finds_it(format: Format, writer: Callable[[str], None]) -> None:
    text = written(Unprotected(), format, SECRETS[0], writer)

    assert len(shown(SECRETS[0], text)) > len(ENCODERS) / 2
