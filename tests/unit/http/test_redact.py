"""`redact_url`."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connector.http import redact_url


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("wss://h/graphql?token=ory_at_x", "wss://h/graphql?token=***"),
        ("https://u:p@h:1/x", "https://***@h:1/x"),
        ("https://u@p@h/x", "https://***@h/x"),
        ("https://h/?a=1&Access_Token=x&b=2", "https://h/?a=1&Access_Token=***&b=2"),
        ("https://h/?%74oken=x;api-key=y", "https://h/?%74oken=***;api-key=***"),
        ("https://h/?token=a=b==", "https://h/?token=***"),
        ("https://h/#access_token=x", "https://h/#access_token=***"),
        ("https://h/?client_secret=x&X-Amz-Signature=y", "https://h/?client_secret=***&X-Amz-Signature=***"),
        (
            "https://h/?key=x&apikey=y&password=z&secret=w",
            "https://h/?key=***&apikey=***&password=***&secret=***",
        ),
        ("https://h/p?network=bsc&keyboard=us", "https://h/p?network=bsc&keyboard=us"),
        ("https://h/?token", "https://h/?token"),
        ("http://[bad", "<a URL that cannot be read>"),
        ("", ""),
    ],
)
def test_credentials_are_hidden_and_the_rest_is_kept(url: str, shown: str) -> None:
    assert redact_url(url) == shown


@given(st.text())
def test_any_text_is_taken(text: str) -> None:
    redact_url(text)


@given(st.text(alphabet="abc%+/=\"'[]:@?&;", min_size=1))
def test_the_password_before_the_host_never_shows(password: str) -> None:
    assert "h4ppy" not in redact_url(f"https://u:{password.replace('?', '').replace('/', '')}h4ppy@h/")
