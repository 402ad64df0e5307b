"""The seam as the way of a row meets it: where rows are received, and where records are built of them."""

import msgspec
import pytest

from connector.records.record_builder import RecordBuilder
from connector.records.record_spec import RecordSpec
from connector.records.seam import OverlapTimes, RowSource, Seam, SeamCounts, SeamSpec
from connector.records.seam.pending import Pending
from connector.records.topics import TopicTemplate
from tests.unit.records.seam.came import Came, row
from tests.unit.records.seam.sessions import BY_ID

WINDOW = SeamSpec(identity=BY_ID, window=60.0)


class Pump:
    """Builds records of what a seam wants, as the pump of a pipeline does."""

    def __init__(self, spec: SeamSpec) -> None:
        self.seam: Seam[Came] = Seam(spec)
        self.builder = RecordBuilder(RecordSpec(topic=TopicTemplate("t", {}), identity=spec.identity))
        self.source = self.seam.open_source()
        self.pending: Pending | None = None

    def take(self, *rows: msgspec.Raw, now: float = 0.0, source: RowSource | None = None) -> list[bytes]:
        """Return the values of the records of one receipt; what is remembered of it is then `pending`."""
        self.seam.turn(now, source or self.source)
        built = self.builder.build(rows, [], self.seam.admits)
        self.pending = self.seam.pending()
        return [bytes(value) for _, value, _, _ in built.topics["t"]]


def test_where_nothing_is_dropped_nothing_is_asked() -> None:
    for spec in (SeamSpec(), SeamSpec(identity=BY_ID), SeamSpec(window=60.0)):
        pump = Pump(spec)
        assert pump.seam.admits is None
        assert not pump.seam.takes_batches
        assert len(pump.take(row(1), row(1))) == 2
        assert pump.pending is not None
        assert pump.pending.remembered == ()
        pump.pending.forget()
        assert pump.seam.covered(0.0) is None
        assert pump.seam.size == 0


@pytest.mark.parametrize("unique", [True, False])
def test_repeats_are_dropped_for_as_long_as_the_window_says(unique: bool) -> None:
    pump = Pump(SeamSpec(identity=BY_ID, unique=unique, window=60.0))
    other = pump.seam.open_source()
    assert pump.take(row(1), row(2)) == [bytes(row(1)), bytes(row(2))]
    assert pump.take(row(2), row(3), now=60.0, source=other) == [bytes(row(3))]
    assert pump.seam.counts == SeamCounts(repeats=1)
    assert pump.seam.covered(60.0) == 60.0
    assert pump.seam.size > 0


def test_rows_of_which_the_identity_is_null_are_all_wanted() -> None:
    pump = Pump(WINDOW)
    nothing = msgspec.Raw(b'{"id":null}')
    assert len(pump.take(nothing, nothing, msgspec.Raw(b"7"))) == 3
    assert len(pump.take(nothing)) == 1


@pytest.mark.parametrize("unique", [True, False])
def test_a_receipt_that_is_dropped_forgets_its_rows(unique: bool) -> None:
    pump = Pump(SeamSpec(identity=BY_ID, unique=unique, window=60.0))
    other = pump.seam.open_source()
    pump.take(row(1), row(2))
    assert pump.pending is not None
    pump.pending.settled()
    pump.pending.forget()  # too late
    pump.take(row(2), row(3), source=other)
    pump.pending.forget()
    pump.pending.forget()
    assert pump.take(row(1), row(2), row(3), source=other) == [bytes(row(3))]


def test_rows_that_cannot_become_records_are_remembered_too() -> None:
    pump = Pump(WINDOW)
    pump.builder = RecordBuilder(RecordSpec(topic=TopicTemplate("t.{to}", {}), identity=BY_ID))
    pump.seam.turn(0.0, pump.source)
    built = pump.builder.build([row(1, to="*")], [], pump.seam.admits)
    assert len(built.failed) == 1
    assert len(pump.seam.pending().remembered) == 1


def test_what_a_session_that_is_joined_brings_counts_as_the_old_ones() -> None:
    pump = Pump(SeamSpec(identity=BY_ID, unique=False, window=60.0))
    seam, old, new = pump.seam, pump.source, pump.seam.open_source()
    overlap = seam.begin_overlap(old, now=0.0, reach=5.0)
    overlap.subscribed(new, 1.0, OverlapTimes(least=5.0, until=30.0))
    published = []
    for source in (old, new):
        for receipt in seam.take(source, Came([row(1)], 2.0)):
            published += pump.take(*receipt.rows, now=2.0, source=source)
    overlap.switch()
    for receipt in seam.take(new, Came([row(1)], 3.0)):
        published += pump.take(*receipt.rows, now=3.0, source=new)
    assert published == [bytes(row(1))] * 2
