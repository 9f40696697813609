"""Sessions: who is logged in, known by a random number of which only the hash is kept, in memory alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from hashlib import sha256

TOKEN_BYTES = 32
PER_PERSON, AT_ONCE = 8, 2_000


@dataclass(slots=True)
class Session:
    """One browser of one person, since it logged in."""

    name: str
    epoch: str = field(repr=False)  # of the account when it began
    begun_s: float
    seen_s: float
    csrf: str = field(repr=False)  # what every form of this session has to bring


class Sessions:
    """All sessions.  A restart of the service ends them: nobody stays logged in who cannot log in."""

    def __init__(self, idle_s: float, longest_s: float) -> None:
        """`idle_s`: it ends when nothing was asked for so long; `longest_s`: and so long after it began in any case."""
        self._idle_s, self._longest_s = idle_s, longest_s
        self._sessions: dict[bytes, Session] = {}  # the oldest first

    def begin(self, name: str, epoch: str, now_s: float) -> str:
        """Begin a session and give its number, 256 bits as 43 characters; a person's ninth ends the first."""
        self._drop_ended(now_s)
        own = [key for key, session in self._sessions.items() if session.name == name]
        if len(own) >= PER_PERSON:
            del self._sessions[own[0]]
        elif len(self._sessions) >= AT_ONCE:
            del self._sessions[next(iter(self._sessions))]
        token = secrets.token_urlsafe(TOKEN_BYTES)
        self._sessions[_key(token)] = Session(name, epoch, now_s, now_s, secrets.token_urlsafe(TOKEN_BYTES))
        return token

    def find(self, token: str, now_s: float) -> Session | None:
        """Give the session of a number, which was seen now, or None when there is none or it has ended."""
        session = self._sessions.get(_key(token))
        if session is None:
            return None
        if self._has_ended(session, now_s):
            self.end(token)
            return None
        session.seen_s = now_s
        return session

    def peek(self, token: str, now_s: float) -> Session | None:
        """Give the session of a number as `find` does, but not as seen: a page that listens is no work."""
        session = self._sessions.get(_key(token))
        return None if session is None or self._has_ended(session, now_s) else session

    def end(self, token: str) -> None:
        """End a session, if there is one."""
        self._sessions.pop(_key(token), None)

    def end_all_of(self, name: str) -> None:
        """End all sessions of a person."""
        self._sessions = {key: one for key, one in self._sessions.items() if one.name != name}

    def _drop_ended(self, now_s: float) -> None:
        self._sessions = {key: one for key, one in self._sessions.items() if not self._has_ended(one, now_s)}

    def _has_ended(self, session: Session, now_s: float) -> bool:
        return now_s - session.seen_s >= self._idle_s or now_s - session.begun_s >= self._longest_s


def _key(token: str) -> bytes:
    return sha256(token.encode("utf-8", "surrogatepass")).digest()
