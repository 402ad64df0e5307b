"""
The broker of the benchmarks: librdkafka's mock cluster in a process of its own.

Run as ``python -m tests.bench.mock_broker``; it prints its address and lives until its stdin ends.
"""

from __future__ import annotations

import argparse
import sys

from tests.standins.mock_kafka import MockKafka

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rtt", type=float, default=0.0, help="seconds that every answer takes")
    parser.add_argument("topics", nargs="+")
    arguments = parser.parse_args()
    with MockKafka() as kafka:
        for topic in arguments.topics:
            kafka.create_topic(topic, partitions=4)
        if arguments.rtt:
            kafka.set_rtt(arguments.rtt)
        print(kafka.bootstrap_servers, flush=True)
        sys.stdin.read()
