"""What there is to be done, by whose the token is."""

import pytest

from connector.auth import ENDPOINT, GIVEN
from connector.refusals import PACES, Action, Refusals
from connector.refusals.reasons import REMEDIES


@pytest.mark.parametrize("reason", ["unauthorized", "insufficient_scope", "points"])
def test_a_given_token_that_is_refused_is_not_an_applications_fault(reason: str) -> None:
    given = Refusals(token_is_given=True).remedy_of(reason)
    assert "token" in given
    for word in ("application", "oauth", "scope", "fresh"):
        assert word not in given
    assert Refusals().remedy_of(reason) == REMEDIES[reason]


def test_other_remedies_do_not_depend_on_whose_the_token_is() -> None:
    given, fetched = Refusals(token_is_given=True), Refusals()
    assert given.remedy_of("overload") == fetched.remedy_of("overload")


def test_a_given_token_is_never_called_fresh() -> None:
    assert "fresh" in ENDPOINT.rejected_again
    assert "fresh" not in GIVEN.rejected_again


def test_what_is_said_of_a_slow_retry_fits_its_first_wait() -> None:
    assert PACES[Action.SLOW].first == 30
    assert "half a minute" in Action.SLOW.value
