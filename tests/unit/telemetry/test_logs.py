import asyncio
import io
import json
import logging
import re
import warnings

import pytest
import structlog

from connector.telemetry import Redactor, configure_logs, install_loop_handler
from connector.telemetry.logs import Format

pytestmark = pytest.mark.usefixtures("process_logging")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def stream() -> io.StringIO:
    return io.StringIO()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_of_json_begins_with_time_level_logger_and_event(stream: io.StringIO) -> None:
    configure_logs("info", "json", Redactor(), stream)

    structlog.get_logger("connector.x").info("session opened", subscription="a", rows=3)

    (line,) = lines(stream)
    assert list(line) == ["time", "level", "logger", "event", "subscription", "rows"]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line.pop("time")))
    assert line == {
        "level": "info",
        "logger": "connector.x",
        "event": "session opened",
        "subscription": "a",
        "rows": 3,
    }


def test_values_with_newlines_stay_on_their_line(stream: io.StringIO) -> None:
    configure_logs("info", "json", Redactor(), stream)

    structlog.get_logger("connector").warning("refused", answer='a\n{"level":"error"}\r\u2028')
    logging.getLogger("elsewhere").error("two\nlines")

    assert [line.get("answer", line["event"]) for line in lines(stream)] == [
        'a\n{"level":"error"}\r\u2028',
        "two\nlines",
    ]


@pytest.mark.parametrize(
    ("format", "stream", "is_json", "coloured"),
    [
        ("auto", io.StringIO(), True, False),
        ("auto", Terminal(), False, True),
        ("json", Terminal(), True, False),
        ("console", io.StringIO(), False, False),
    ],
    ids=["auto elsewhere", "auto on a terminal", "json on a terminal", "console elsewhere"],
)
def test_people_on_a_terminal_get_colours_and_others_json(
    format: Format, stream: io.StringIO, is_json: bool, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    configure_logs("info", format, Redactor(), stream)

    structlog.get_logger("connector").info("session opened", subscription="a")

    text = stream.getvalue()
    assert text.startswith("{") is is_json
    assert ("\x1b[" in text) is coloured
    assert "session opened" in text


def test_no_color_is_honoured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    stream = Terminal()
    configure_logs("info", "console", Redactor(), stream)

    structlog.get_logger("connector").info("session opened")

    assert "\x1b[" not in stream.getvalue()


def test_loggers_in_use_follow_another_level_and_format(stream: io.StringIO) -> None:
    log, library = structlog.get_logger("connector.x"), logging.getLogger("aiokafka.x")
    redactor = Redactor()
    configure_logs("warning", "json", redactor, stream)
    log.info("too quiet")
    configure_logs("debug", "console", redactor, stream)
    log.debug("session opened", subscription="a")
    library.debug("connected")
    configure_logs("error", "json", redactor, stream)
    log.warning("too quiet")
    log.error("failed")

    text = stream.getvalue()
    assert "too quiet" not in text
    assert re.search(r"debug +\] session opened +\[connector.x\] subscription=a", text)
    assert "connected" in text
    assert json.loads(text.splitlines()[-1])["event"] == "failed"


@pytest.mark.parametrize(
    ("level", "name", "least"),
    [
        ("debug", "websockets.client", logging.INFO),
        ("warning", "websockets.client", logging.WARNING),
        ("debug", "httpx2", logging.WARNING),
        ("info", "httpx2", logging.WARNING),
        ("error", "httpx2", logging.ERROR),
        ("debug", "aiokafka.conn", logging.WARNING),
        ("debug", "aiokafka.producer", logging.DEBUG),
        ("info", "aiokafka.producer", logging.INFO),
        ("debug", "asyncio", logging.DEBUG),
        ("debug", "uvicorn.access", logging.CRITICAL + 1),
        ("debug", "connector.task", logging.DEBUG),
        ("warning", "connector.task", logging.WARNING),
    ],
)
def test_each_library_is_heard_from_its_level(level: str, name: str, least: int) -> None:
    configure_logs(level, "json", Redactor(), io.StringIO())

    assert logging.getLogger(name).getEffectiveLevel() == least


def test_a_record_that_cannot_be_rendered_is_named_and_not_shown(
    stream: io.StringIO, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("info", "json", Redactor(), stream)

    logging.getLogger("elsewhere").error("%d rows", "a secret")

    assert stream.getvalue() == "a log record of elsewhere could not be rendered\n"
    assert capsys.readouterr().err == ""


def test_a_line_whose_quote_is_taken_by_a_secret_is_still_json(stream: io.StringIO) -> None:
    redactor = Redactor()
    redactor.add('value"')
    configure_logs("info", "json", redactor, stream)

    structlog.get_logger("connector").info("odd", field="value")

    (line,) = lines(stream)
    assert line["level"] == "info"
    assert "value" not in stream.getvalue()


def test_configuring_again_leaves_one_handler(stream: io.StringIO) -> None:
    configure_logs("info", "json", Redactor(), io.StringIO())
    configure_logs("info", "json", Redactor(), stream)

    structlog.get_logger("connector").info("once")

    assert len(lines(stream)) == 1


def test_warnings_are_logged(stream: io.StringIO) -> None:
    configure_logs("info", "json", Redactor(), stream)

    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old way", DeprecationWarning, stacklevel=1)

    (line,) = lines(stream)
    assert line["logger"] == "py.warnings"


async def test_what_a_callback_raised_is_logged_without_its_arguments(stream: io.StringIO) -> None:
    configure_logs("info", "json", Redactor(), stream)
    loop = asyncio.get_running_loop()
    install_loop_handler(loop)
    ran = asyncio.Event()

    def fails(token: str) -> None:
        loop.call_soon(ran.set)
        raise ValueError("callback")

    try:
        loop.call_soon(fails, "a-token-that-is-longer-than-what-the-loop-shows")
        async with asyncio.timeout(5):
            await ran.wait()
    finally:
        loop.set_exception_handler(None)

    (line,) = lines(stream)
    assert str(line["event"]).startswith("event loop: Exception in callback")
    assert "ValueError: callback" in str(line["exception"])
    assert "a-token" not in str(line["event"])


@pytest.mark.parametrize(
    "hostile", ["\x1b[2J", "\x1b]0;title\x07", "\x9b31m", "\u202egnp", "\r\nforged", "\u2028x"]
)
def test_on_a_console_nothing_that_the_upstream_said_reaches_the_terminal_raw(
    stream: io.StringIO, hostile: str
) -> None:
    configure_logs("info", "console", Redactor(), stream)
    said = f"before{hostile}after"

    structlog.get_logger("connector").warning(
        said, answer=said, nested={"reason": [said]}, error=ValueError(said)
    )
    logging.getLogger("elsewhere").warning("answer: %s", said)

    written = stream.getvalue()
    assert len(written.splitlines()) == 2
    assert all(letter.isprintable() or letter == "\n" for letter in written)


def test_on_a_console_a_traceback_keeps_its_lines_and_nothing_else(stream: io.StringIO) -> None:
    configure_logs("info", "console", Redactor(), stream)
    try:
        raise ValueError("refused\x1b[2J\x9b1m")
    except ValueError:
        structlog.get_logger("connector").exception("failed")

    written = stream.getvalue()
    assert "\n" in written.strip()
    assert "\x1b" not in written
    assert "\x9b" not in written
