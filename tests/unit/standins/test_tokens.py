"""The token authority."""

from tests.standins.tokens import AWKWARD, TokenAuthority


def test_a_token_is_good_until_it_expires() -> None:
    now = [100.0]
    authority = TokenAuthority(life=5, clock=lambda: now[0])
    token = authority.issue()
    assert authority.is_valid(token)
    now[0] += 5
    assert not authority.is_valid(token)


def test_revoked_expired_unscoped_and_unknown_tokens_are_refused() -> None:
    authority = TokenAuthority()
    revoked, expired, unscoped, good = (authority.issue(scope=scope) for scope in ("api", "api", "", "api x"))
    authority.revoke(revoked)
    authority.expire(expired)
    for token in (revoked, expired, unscoped, "no such token", "", None):
        assert not authority.is_valid(token)
    assert authority.is_valid(good)
    authority.revoke_all()
    assert not authority.is_valid(good)


def test_tokens_hold_what_needs_escaping_and_stay_out_of_reprs() -> None:
    authority = TokenAuthority()
    token = authority.issue()
    assert set(AWKWARD) <= set(token)
    assert token not in repr(authority.issued)
    assert authority.values == (token,)
