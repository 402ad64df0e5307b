import io
import json
import os
import threading
import time

from connector.telemetry import BackgroundStream, Metrics


def test_lines_are_written_in_order_and_waited_for() -> None:
    inner = io.StringIO()
    stream = BackgroundStream(inner)
    for number in range(100):
        stream.write(f"{number}\n")
    assert stream.drain(30)
    assert inner.getvalue().split() == [str(number) for number in range(100)]


def test_a_reader_that_is_stuck_blocks_nobody_and_what_was_dropped_is_said() -> None:
    reads, writes = os.pipe()
    with os.fdopen(reads, "rb") as reader, os.fdopen(writes, "w") as inner:
        stream = BackgroundStream(inner, most_bytes=200_000)
        done = threading.Event()

        def log() -> None:
            for _ in range(1_000):
                stream.write("x" * 999 + "\n")
            done.set()

        threading.Thread(target=log, daemon=True).start()
        assert done.wait(60)
        assert not stream.drain(0.1)

        found: list[bytes] = []
        reading = threading.Thread(target=lambda: found.extend(reader), daemon=True)
        reading.start()
        assert stream.drain(60)
        inner.close()
        reading.join(60)
    told = [json.loads(line)["lines"] for line in found if line.startswith(b"{")]
    assert sum(told) + len(found) - len(told) == 1_000
    assert sum(told) > 0
    metrics = Metrics(version="1")
    for _ in range(2):  # what was counted is not counted again
        stream.measure(metrics)
        assert f"connector_log_lines_dropped_total {sum(told):.1f}" in metrics.render()[0].decode()


def test_a_pipe_that_somebody_made_non_blocking_loses_nothing() -> None:
    reads, writes = os.pipe()
    os.set_blocking(writes, False)
    with os.fdopen(reads, "rb") as reader, os.fdopen(writes, "w") as inner:
        stream = BackgroundStream(inner)
        stream.write("x" * 300_000 + "\n")
        time.sleep(0.1)
        assert len(reader.read(300_001)) == 300_001
        assert stream.drain(30)


def test_a_reader_that_is_gone_is_no_error() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    with os.fdopen(writes, "w") as inner:
        stream = BackgroundStream(inner)
        stream.write("nobody hears this\n")
        assert stream.drain(30)
