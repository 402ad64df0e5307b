import logging
import sys
import threading
import warnings
from collections.abc import Iterator

import pytest
import structlog

LOGGERS = ("websockets", "httpx2", "httpcore2", "uvicorn.error", "uvicorn.access")


@pytest.fixture
def process_logging() -> Iterator[None]:
    """Give back what `configure_logs` takes of the process."""
    root = logging.getLogger()
    handlers, level, raises = list(root.handlers), root.level, logging.raiseExceptions
    levels = {name: logging.getLogger(name).level for name in LOGGERS}
    hooks = sys.excepthook, sys.unraisablehook, threading.excepthook
    show = warnings.showwarning
    yield
    logging.captureWarnings(False)
    warnings.showwarning = show
    sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
    for name, before in levels.items():
        logging.getLogger(name).setLevel(before)
    root.handlers[:] = handlers
    root.setLevel(level)
    logging.raiseExceptions = raises
    structlog.reset_defaults()
