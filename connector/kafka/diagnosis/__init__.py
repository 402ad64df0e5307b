"""
What is wrong with the brokers, by name, and what we may do there: aiokafka's clients keep it to their log.

A broker is connected to (`connect`), what fails gets a word and a sentence (`refusal`), all addresses
together are looked at (`survey`), rights are read (`rights`), and `probe` makes a report of it.
"""

from connector.kafka.diagnosis.probe import probe
from connector.kafka.diagnosis.refusal import CannotConnect
from connector.kafka.diagnosis.report import BrokerFinding, BrokerReport, Finding, TopicFinding, Verdict
from connector.kafka.diagnosis.survey import describe_failures, require_broker, survey

__all__ = [
    "BrokerFinding",
    "BrokerReport",
    "CannotConnect",
    "Finding",
    "TopicFinding",
    "Verdict",
    "describe_failures",
    "probe",
    "require_broker",
    "survey",
]
