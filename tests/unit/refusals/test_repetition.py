"""What was seen before."""

from connector.refusals import RepetitionFilter, Symptom, kind_of
from connector.refusals.repetition import NEWS_AGAIN_AFTER, NEWS_AT_ONCE, NEWS_EVERY, REMEMBERED

WORDS = [f"{a}{b}{c}" for a in "ghijklm" for b in "nopqrst" for c in "uvwxyz"]
"""Texts of another shape each: no digits, which do not count."""


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def said(text: str = "", **facts: object) -> Symptom:
    return Symptom(place="stream", texts=(text,) if text else (), **facts)  # type: ignore[arg-type]


def test_ids_and_numbers_make_no_new_kind() -> None:
    texts = [
        "request 7f3a failed at block 123",
        "request 99 failed at block 0xdeadbeef1",
        "Request 1b4e28ba-2fa1-11d2-883f failed at block 7",
    ]
    assert len({kind_of(said(text)) for text in texts}) == 1
    assert kind_of(said('field "a" is odd')) == kind_of(said('field "bcd" is odd'))


def test_where_and_with_which_number_it_was_said_makes_a_kind() -> None:
    kinds = {
        kind_of(Symptom(place="close", close_code=4999)),
        kind_of(Symptom(place="close", close_code=4998)),
        kind_of(Symptom(place="handshake", status=418)),
        kind_of(said("a")),
        kind_of(said("b")),
        kind_of(said("a", error_codes=("X",))),
    }
    assert len(kinds) == 6


def test_each_kind_is_news_once() -> None:
    kinds = RepetitionFilter(Clock())
    assert [kinds.is_new(said(text)) for text in ("a", "a", "b", "a 1", "b", "a 2")] == [
        True,
        False,
        True,
        True,
        False,
        False,
    ]


def test_a_flood_of_new_kinds_is_news_now_and_then() -> None:
    clock = Clock()
    kinds = RepetitionFilter(clock)
    news = 0
    for word in WORDS[:240]:
        news += kinds.is_new(said(word))
        clock.now += 10
    assert news <= NEWS_AT_ONCE + 2400 / NEWS_EVERY
    assert news >= NEWS_AT_ONCE


def test_what_was_not_seen_for_long_is_news_again() -> None:
    clock = Clock()
    kinds = RepetitionFilter(clock)
    assert kinds.is_new(said("a"))
    for _ in range(5):
        clock.now += NEWS_AGAIN_AFTER - 1
        assert not kinds.is_new(said("a"))
    clock.now += NEWS_AGAIN_AFTER
    assert kinds.is_new(said("a"))


def test_memory_is_bounded_and_what_is_seen_again_is_kept() -> None:
    kinds = RepetitionFilter(Clock())
    kinds.is_new(said("kept"))
    for word in WORDS[: REMEMBERED + 50]:
        kinds.is_new(said(word))
        assert not kinds.is_new(said("kept"))
    assert len(kinds._seen) == REMEMBERED
