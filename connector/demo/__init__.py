"""
The whole program on one machine, with nothing to install but Python packages.

`run_demo` starts a token endpoint, a streaming upstream, an embedded broker and a consumer on
loopback, runs the real connector between them as a child process, and accounts for every row.
"""

from __future__ import annotations

import sys

EXTRA = "graphql-kafka-connector[demo]"


def run_demo(seconds: float, as_json: bool) -> int:
    """
    Run the demo for ``seconds`` of streaming and return its exit code.

    The summary goes to stdout; with ``as_json`` it goes to stderr, and the last line of stdout is one
    JSON object. Whatever is shown while it runs goes to stderr. Starts its own event loop.

    Returns:
        0 if every row is accounted for and the connector stopped cleanly, 1 if not, 2 if an optional
        package is missing, 130 if Ctrl-C ended it before there was a result.
    """
    try:
        import confluent_kafka  # noqa: F401
        import strawberry  # noqa: F401
    except ImportError as missing:
        print(f"connector demo needs {missing.name}: pip install '{EXTRA}'", file=sys.stderr)  # noqa: T201
        return 2
    from connector.demo.run import main

    return main(seconds, as_json)
