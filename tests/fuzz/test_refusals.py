"""A thousand refusals that nobody has seen: each is classified, and none takes long."""

from __future__ import annotations

import time

from hypothesis import given, settings
from hypothesis import strategies as st

from connector.refusals import Action, Symptom, classify
from connector.subscription.messages import MAX_ERRORS, MAX_TEXT
from tests.fuzz.strategies import ANY_TEXT, EXAMPLES, PHRASES

SAID = """
token jwt access invalid expired missing is has been not valid unauthorized authentication points limit
too many sessions requests maximum number of subscriptions variable $x " ' . , : ; 401 quota exceeded
billing period api key
"""
WORDS = st.sampled_from([*SAID.split(), "\n"])
PLACES = st.sampled_from(
    [
        *("connect", "handshake", "subprotocol", "ack", "init", "subscribe", "stream"),
        *("close", "complete", "silence", "protocol", "nowhere"),
    ]
)
TEXTS = st.lists(WORDS, max_size=40).map(" ".join) | ANY_TEXT | PHRASES
SYMPTOMS = st.builds(
    Symptom,
    place=PLACES,
    status=st.none() | st.integers(0, 999),
    close_code=st.none() | st.integers(1000, 4999),
    error_codes=st.lists(TEXTS, max_size=3).map(tuple),
    texts=st.lists(TEXTS.map(lambda text: text[:MAX_TEXT]), max_size=3).map(tuple),
)


@settings(max_examples=EXAMPLES)
@given(SYMPTOMS)
def test_any_refusal_is_classified_and_always_the_same(symptom: Symptom) -> None:
    verdict = classify(symptom)
    assert isinstance(verdict.action, Action)
    assert verdict.reason
    assert classify(symptom) == verdict


@settings(max_examples=EXAMPLES)
@given(st.lists(WORDS, min_size=1, max_size=4), st.sampled_from(["init", "close", "handshake"]))
def test_no_text_makes_the_table_think_for_long(words: list[str], place: str) -> None:
    # As much as ever comes, of words that patterns begin with.
    text = (" ".join(words) + " ") * (MAX_TEXT // len(words[0]) + 1)
    symptom = Symptom(place=place, texts=(text[:MAX_TEXT],) * MAX_ERRORS)
    begun = time.process_time()
    classify(symptom)
    assert time.process_time() - begun < 1.0  # thousands of times what it takes
