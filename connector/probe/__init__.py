"""Whether everything that a configuration names can be used, found out without using it."""

from connector.probe.brokers import BrokersProbe, Topics
from connector.probe.endpoint import Endpoint, probe_endpoint
from connector.probe.finding import Area, Finding, Outcome, Report
from connector.probe.kafka_token import probe_kafka_token
from connector.probe.offsets import OffsetsCheck
from connector.probe.refused import Judge
from connector.probe.survey import Probes, Tell, probe_all
from connector.probe.token import TokenProbe

__all__ = [
    "Area",
    "BrokersProbe",
    "Endpoint",
    "Finding",
    "Judge",
    "OffsetsCheck",
    "Outcome",
    "Probes",
    "Report",
    "Tell",
    "TokenProbe",
    "Topics",
    "probe_all",
    "probe_endpoint",
    "probe_kafka_token",
]
