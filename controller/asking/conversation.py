"""A client's side of the upstream and operator wire without I/O: times come in, requests go out, answers find them.

Whatever a client wants is an `Exchange`: it asks one thing or many, and ends with a result or an error.  Any number of
exchanges share one link, which may lose messages, break, or end at a service that is killed and started again.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import msgspec

from controller.wire import Answer, Busy, OperatorAnswer, Refusal, Request, UpstreamAnswer
from encoders.envelope import MAX_MESSAGE_BYTES, EnvelopeError, Opener, pack

Result = TypeVar("Result")
Kind = TypeVar("Kind", bound=Answer)

BUSY_LEAST_S, BUSY_MOST_S = 0.01, 60.0  # what a `busy` may ask for, whatever it says
SILENT = "look whether it runs and answers others"
UNSENDABLE = "a text holds half a character, or a value is of a kind or size that the wire cannot carry"

Doubt = Callable[[Answer], "ClientError | None"]
"""Says why an answer, though of the right shape, is not to be believed; None where nothing speaks against it."""

UPSTREAM_ANSWERS: Opener[Answer] = Opener(UpstreamAnswer)
OPERATOR_ANSWERS: Opener[Answer] = Opener(OperatorAnswer)


class ClientError(Exception):
    """What a client asked for did not come.

    Attributes:
        code: of the service's refusal, of the link (`link.…`, `keys.…`), or `client.no_answer`,
            `client.outcome_unknown`, `client.bad_answer`, `client.bad_receipt`, `client.unsendable` or
            `client.too_large`.
        text: what to do; never a value of an application.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code, self.text = code, text


class Refused(ClientError):
    """The service answered no; `field` and `index` say of what, where it speaks of one application or field."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.code, refusal.text)
        self.field, self.index = refusal.field, refusal.index


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a client waits, in real seconds."""

    answer_within_s: float = 5.0  # then a question counts as lost
    give_up_s: float = 120.0  # of silence: long enough for a service to be started again


PATIENCE = Patience()


class Exchange(ABC, Generic[Result]):
    """Something a client wants done."""

    def __init__(self) -> None:
        self.on_end: Callable[[], None] = _nothing
        self.due_s = 0.0  # before then it asks nothing: it rests between two looks
        self._result: Result | None = None
        self._error: ClientError | None = None
        self.ended = False

    @abstractmethod
    def next_request(self, now_s: float) -> Request | None:
        """Give what is to be asked now, or None; asked again after every answer."""

    @abstractmethod
    def answered(self, asked: Request, answer: Answer, now_s: float) -> None:
        """Take the answer to something this exchange asked."""

    @abstractmethod
    def lost(self, asked: Request) -> bool:
        """Take that no answer came in time; give whether the same is to be asked again as it is."""

    def result(self) -> Result:
        """Give the result.  Raises: ClientError."""
        if self._error is not None:
            raise self._error
        assert self._result is not None, "the exchange is still under way"
        return self._result

    def end(self, result: Result) -> None:
        """End with a result."""
        self._result, self.ended = result, True
        self.on_end()

    def fail(self, error: ClientError) -> None:
        """End with an error."""
        self._error, self.ended = error, True
        self.on_end()


class Question(Exchange[Kind]):
    """One request and its answer of one kind."""

    def __init__(self, request: Request, kind: type[Kind], *, repeatable: bool = True) -> None:
        """Take what is asked.  What is not `repeatable` is never sent twice: its time-out is an error."""
        super().__init__()
        self._request, self._kind, self._repeatable, self._asked = request, kind, repeatable, False

    def next_request(self, now_s: float) -> Request | None:
        """Give the request, once."""
        if self._asked:
            return None
        self._asked = True
        return self._request

    def answered(self, asked: Request, answer: Answer, now_s: float) -> None:
        """End with the answer."""
        if isinstance(answer, self._kind):
            self.end(answer)
        else:
            self.fail(unfit(answer))

    def lost(self, asked: Request) -> bool:
        """Ask again, if that does no harm."""
        if not self._repeatable:
            sentence = "no answer came, so it may be done or not: look before you ask again"
            self.fail(ClientError("client.outcome_unknown", sentence))
        return self._repeatable


@dataclass(slots=True)
class _Waiting:
    """A request that has no answer yet."""

    exchange: Exchange[Any]
    request: Request
    due_s: float = 0.0  # when it is sent again, or counts as lost
    at_service: bool = False  # it was sent: whether it arrived, only an answer tells


class Conversation:
    """All that is asked over one link: numbers the requests, repeats what was lost, waits when told to."""

    def __init__(self, answers: Opener[Answer], patience: Patience = PATIENCE, doubt: Doubt | None = None) -> None:
        self._answers, self._patience, self._doubt = answers, patience, doubt or _no_doubt
        self._exchanges: list[Exchange[Any]] = []
        self._waiting: dict[int, _Waiting] = {}
        self._number = 0
        self._newest: _Waiting | None = None
        self._silent_since_s = 0.0  # counts only while something waits for an answer
        self._why = SILENT
        self._broken: ClientError | None = None

    def begin(self, exchange: Exchange[Result]) -> None:
        """Take up an exchange.  Raises: ClientError: this conversation is over."""
        if self._broken is not None:
            raise self._broken
        self._exchanges.append(exchange)

    def drop(self, exchange: Exchange[Result]) -> None:
        """Forget an exchange, ended or not; answers to it that still come are ignored."""
        self._exchanges = [other for other in self._exchanges if other is not exchange]
        self._waiting = {number: one for number, one in self._waiting.items() if one.exchange is not exchange}

    def next_frame(self, now_s: float) -> bytes | None:
        """Give one frame that is to be sent now, or None.  Ask until None after every answer and at `due_s()`."""
        if self._waiting and now_s - self._silent_since_s >= self._patience.give_up_s:
            sentence = f"the service said nothing for {self._patience.give_up_s:g} s: {self._why}"
            self.fail(ClientError("client.no_answer", sentence))
        return self._repeated(now_s) or self._asked(now_s)

    def unsent(self, now_s: float, why: str) -> None:
        """Take that the newest frame found no room on the link: it is given again.  `why` is told when we give up."""
        self._why = why
        if self._newest is not None:
            self._newest.at_service, self._newest.due_s = False, now_s

    def received(self, body: bytes | memoryview, now_s: float) -> None:
        """Take one frame of the service."""
        self._silent_since_s, self._why = now_s, SILENT
        try:
            answer = self._answers.unpack(body)
        except EnvelopeError as error:
            sentence = f"the service's answer cannot be read ({error.code}): is this client as new as the service?"
            self.fail(ClientError("client.bad_answer", sentence))
            return
        waiting = self._waiting.get(answer.request)
        if waiting is not None and isinstance(answer, Busy):
            rest_s = max(BUSY_LEAST_S, min(answer.retry_after_s, BUSY_MOST_S))
            waiting.at_service = False  # it is certain that nothing was done
            waiting.due_s = self._silent_since_s = now_s + rest_s
        elif waiting is not None:
            del self._waiting[answer.request]
            doubt = self._doubt(answer)
            if doubt is not None:
                waiting.exchange.fail(doubt)
            else:
                waiting.exchange.answered(waiting.request, answer, now_s)
        elif not answer.request and isinstance(answer, Refusal):
            self.fail(Refused(answer))  # the service could not even read the number of what was asked

    def due_s(self) -> float:
        """Give the time at which `next_frame` has something to say if nothing is received before."""
        times = [exchange.due_s for exchange in self._exchanges if exchange.due_s and not exchange.ended]
        times += [waiting.due_s for waiting in self._waiting.values()]
        if self._waiting:
            times.append(self._silent_since_s + self._patience.give_up_s)
        return min(times, default=math.inf)

    def fail(self, error: ClientError) -> None:
        """End every exchange that is under way with an error; others may begin."""
        self._waiting.clear()
        for exchange in self._exchanges:
            if not exchange.ended:
                exchange.fail(error)

    def close(self, error: ClientError) -> None:
        """End every exchange, and all that would begin, with an error."""
        self._broken = error
        self.fail(error)

    def _repeated(self, now_s: float) -> bytes | None:
        """Give a frame that was put off or lost, if one is due."""
        for number, waiting in list(self._waiting.items()):
            if waiting.due_s > now_s:
                continue
            if not waiting.at_service or waiting.exchange.lost(waiting.request):
                return self._frame(waiting, now_s)
            del self._waiting[number]
        return None

    def _asked(self, now_s: float) -> bytes | None:
        """Give the frame of a new request, if an exchange has one."""
        for exchange in self._exchanges:
            if exchange.ended or exchange.due_s > now_s:
                continue
            exchange.due_s = 0.0
            request = exchange.next_request(now_s)
            if request is None:
                continue
            self._number += 1
            waiting = _Waiting(exchange, msgspec.structs.replace(request, request=self._number))
            try:
                frame = self._frame(waiting, now_s)
            except (UnicodeEncodeError, TypeError, OverflowError):
                exchange.fail(ClientError("client.unsendable", UNSENDABLE))
                continue
            if len(frame) > MAX_MESSAGE_BYTES:
                sentence = (
                    f"{len(frame)} bytes in one message, at most {MAX_MESSAGE_BYTES} are taken: send less at once"
                )
                exchange.fail(ClientError("client.too_large", sentence))
                continue
            if not self._waiting:
                self._silent_since_s = now_s
            self._waiting[self._number] = waiting
            return frame
        return None

    def _frame(self, waiting: _Waiting, now_s: float) -> bytes:
        frame = pack(waiting.request)
        waiting.at_service, waiting.due_s = True, now_s + self._patience.answer_within_s
        self._newest = waiting
        return frame


def unfit(answer: Answer) -> ClientError:
    """Give the error for an answer that is not of the kind asked for: most often a refusal."""
    if isinstance(answer, Refusal):
        return Refused(answer)
    return ClientError("client.bad_answer", f"the service answered {type(answer).__name__}, which is no answer to this")


def _no_doubt(answer: Answer) -> None:
    """Believe an answer."""


def _nothing() -> None:
    """Be told of an end, and do nothing."""
