"""
The table of Kafka's error codes in Markdown, made from `connector.kafka.error_codes`.

``python -m connector.kafka.error_reference`` writes it to stdout; with ``--check FILE`` it says whether
``FILE`` is up to date (exit code 1 where it is not).
"""

from __future__ import annotations

import sys

from connector.generated import write_or_check
from connector.kafka.error_codes import ERROR_CODES, Handling

_HEAD = """\
# Kafka's error codes

<!-- Made by `python -m connector.kafka.error_reference` from connector/kafka/error_codes.py. Do not edit. -->

What is done where brokers answer a batch with an error code. Nothing that they say ends the process, and
what was not acknowledged is kept, and sent again in its order. A code that is not in this table is treated
as *rebuild*. Codes that only other requests are answered with are here, too: a broker (or something that
calls itself one) may say anything.

## What is done
"""

_MEANINGS = {
    Handling.DONE: "The brokers have the batch already.",
    Handling.RETRY: "The same producer sends the batch again after a tenth of a second, for as long as it "
    "takes. After 10 s without an acknowledgement `kafka_state` is `stalled`, and the error of `/readyz` "
    "names the code; after 2 minutes the producer is replaced.",
    Handling.MISSING: "As *retry*. The topic is looked for, and created where `topics.create` is true.",
    Handling.CONTENT: "The batch is halved until the bad row is alone, which is a "
    "[bad record](dead-letters.md).",
    Handling.RIGHT: "A right has to be granted. The partition pauses, up to a minute; others go on. It is "
    "told as with *rebuild*: `kafka_state` is `refused`, and the error of `/readyz` names the right.",
    Handling.REBUILD: "A new producer sends the batch again, and the partition pauses, up to a minute. From "
    "the second refusal in a row on `kafka_state` is `refused` until that partition is acknowledged, the "
    "error of `/readyz` names the code, and `connector_kafka_refusals_total{code}` counts.",
}


def table() -> str:
    """Return the whole page."""
    lines = [_HEAD]
    lines += [f"- **{handling.value}**: {_MEANINGS[handling]}" for handling in Handling]
    lines += [
        "",
        "## The codes",
        "",
        "| code | name | handling | reason of a bad record |",
        "|---|---|---|---|",
    ]
    for code in ERROR_CODES.values():
        reason = f"`{code.reason}`: {code.text}" if code.reason else ""
        lines.append(
            f"| {code.code} | `{code.name}` | {code.handling.value} | {reason} |".replace("|  |", "| |")
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.exit(write_or_check(sys.argv[1:], table))
