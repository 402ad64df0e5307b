"""What each user of the token last said of it."""

from __future__ import annotations

FIRST_SPACING = 60.0
LONGEST_SPACING = 300.0
FORGOTTEN_AFTER = 3600.0
"""
Seconds. While others are content, one user's rejections lead to fresh tokens that are so far apart at
first, doubled up to the longest; all of it is forgotten once the user has not rejected for so long.
"""


class TokenFeedback:
    """
    Who accepted and who rejected the token; users go by their names.

    A socket lives on after its token was revoked, so that a content user proves little about the token
    at hand; but where a fresh one was rejected too, it proves that the credentials as such are good.
    """

    def __init__(self) -> None:
        self._content: set[str] = set()
        self._rejected: dict[str, int] = {}
        self._spacing: dict[str, float] = {}
        self._fresh_at: dict[str, float] = {}
        self._rejected_at: dict[str, float] = {}

    def accepted(self, by: str, generation: int) -> bool:
        """Take note; return whether that is news, which an older generation than was rejected is not."""
        if generation < self._rejected.get(by, 0):
            return False
        self._content.add(by)
        return True

    def rejected(self, by: str, generation: int) -> bool:
        """Take note; return whether that is the first time since ``by`` was last content."""
        is_first = by in self._content or by not in self._rejected
        self._content.discard(by)
        self._rejected[by] = max(generation, self._rejected.get(by, 0))
        return is_first

    def others_are_content(self, by: str) -> bool:
        """Return whether anybody else's last word is that the token was accepted."""
        return any(user != by for user in self._content)

    def anyone_is_content(self) -> bool:
        """Return whether anybody's last word is that the token was accepted."""
        return bool(self._content)

    def spacing(self, by: str, now: float) -> float:
        """Return after how many seconds ``by`` may have a fresh token while others are content."""
        if now - self._rejected_at.get(by, now) > FORGOTTEN_AFTER:
            self._spacing.pop(by, None)
            self._fresh_at.pop(by, None)
        self._rejected_at[by] = now
        fresh_at = self._fresh_at.get(by, now)
        if fresh_at > now:
            # Promised before, and not needed after all since ``by`` accepted the token at hand.
            return fresh_at - now
        step = self._spacing.get(by, 0.0)
        self._fresh_at[by] = max(now, fresh_at + step)
        self._spacing[by] = min(max(2 * step, FIRST_SPACING), LONGEST_SPACING)
        return self._fresh_at[by] - now

    def forget(self, by: str) -> None:
        """Count ``by`` no more."""
        self._content.discard(by)
        for book in (self._rejected, self._spacing, self._fresh_at, self._rejected_at):
            book.pop(by, None)
