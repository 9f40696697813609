"""The reference clients: an upstream's, for threads and for trio, and an operator's."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Self, TypeVar

import trio

from controller.asking.conversation import (
    OPERATOR_ANSWERS,
    PATIENCE,
    UPSTREAM_ANSWERS,
    ClientError,
    Conversation,
    Doubt,
    Exchange,
    Patience,
    Question,
)
from controller.asking.count_check import CheckCounts, CountsAgree
from controller.asking.exchanges import (
    NextReceipts,
    Told,
    Upload,
    asks_acknowledge,
    asks_batch,
    asks_cancel,
    asks_chunk,
    asks_correct,
    asks_express,
    asks_hello,
    asks_receipts,
    asks_status,
)
from controller.asking.receipt_check import signature_check
from controller.evidence.public_keys import PublicKeys
from controller.wire import (
    READING,
    Acknowledged,
    Answer,
    BatchState,
    ChunkStored,
    Command,
    Corrected,
    Done,
    Receipt,
    Receipts,
    Welcome,
)
from devices.key_files import read_pair, read_public
from devices.keys import KeyPair, LinkError, LinkTimeout
from devices.sync_dealer import SyncDealer
from devices.zlink import Context, DealerSocket, PlainName, connect_dealer
from encoders.envelope import Opener

Result = TypeVar("Result")

RECEIPTS_A_PAGE = 500


class SyncLink:
    """A conversation over one socket, for a program without trio; to be closed, or used in a `with`."""

    answers: Opener[Answer]

    def __init__(self, dealer: SyncDealer, patience: Patience, doubt: Doubt | None = None) -> None:
        self._dealer, self._patience = dealer, patience
        self._conversation = Conversation(self.answers, patience, doubt)

    @classmethod
    def connect(
        cls,
        endpoint: str,
        server_public: str | Path,
        secret: KeyPair | PlainName | Path,
        *,
        patience: Patience = PATIENCE,
        receipt_keys: PublicKeys | Path | None = None,
    ) -> Self:
        """Give a client of the service at `endpoint`, which need not run yet.

        Args:
            endpoint: like `tcp://127.0.0.1:5701`.
            server_public: the service's public key, or its `.public` file.
            secret: this peer's key pair, or its `.secret` file; its name alone, where the sockets are plain.
            receipt_keys: the centre's `receipts.public`; with it a receipt that is not signed by one of its keys is
                `client.bad_receipt`, and is neither given nor acknowledged.  Without it signatures are not looked at.
        Raises: ClientError with the codes of `devices.keys` and `controller.evidence.errors`.
        """
        doubt = signature_check(receipt_keys)
        try:
            keys, server_key = _own_keys(secret), _server_key(server_public)
            return cls(SyncDealer(endpoint, my_keys=keys, server_public_key=server_key), patience, doubt)
        except LinkError as error:
            raise ClientError(error.code, error.sentence) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the socket; the client is of no more use."""
        self._dealer.__exit__()

    def hello(self) -> Welcome:
        """Give the service's version, limits and floor time, and this client's name there.  Raises: ClientError."""
        return self._run(asks_hello())

    def _run(self, exchange: Exchange[Result]) -> Result:
        self._conversation.begin(exchange)
        try:
            while not exchange.ended:
                self._turn(exchange)
        except LinkError as error:
            raise ClientError(error.code, error.sentence) from None
        finally:
            self._conversation.drop(exchange)
        return exchange.result()

    def _turn(self, exchange: Exchange[Result]) -> None:
        """Send what is due, then take one answer."""
        conversation = self._conversation
        while (frame := conversation.next_frame(time.monotonic())) is not None:
            try:
                self._dealer.send(frame, self._patience.answer_within_s)
            except LinkTimeout as why:
                conversation.unsent(time.monotonic(), why.sentence)
                break
        if exchange.ended:
            return
        try:
            body = self._dealer.recv(max(0.0, conversation.due_s() - time.monotonic()))
        except LinkTimeout:
            return
        conversation.received(body, time.monotonic())


class UpstreamClient(SyncLink):
    """What an upstream does: bring batches, fetch receipts.  Every call repeats what was lost on the way.

    Each call raises ClientError: Refused when the service says no, else see `ClientError.code`.
    """

    answers = UPSTREAM_ANSWERS

    def open_batch(self, batch_number: str, due: str, count: int, digest: str, card_kind: str = "second") -> BatchState:
        """Announce a batch, or ask what is missing of one that was announced."""
        return self._run(asks_batch(batch_number, due, count, digest, card_kind))

    def send_chunk(self, batch_number: str, first: int, applications: Sequence[bytes]) -> ChunkStored:
        """Send encoded applications `first` and following; return when they are durable there."""
        return self._run(asks_chunk(batch_number, first, applications))

    def submit_batch(
        self,
        batch_number: str,
        due: str,
        applications: Iterable[bytes],
        *,
        card_kind: str = "second",
        told: Told | None = None,
    ) -> BatchState:
        """Bring a whole batch; return its state when that is no longer `receiving`.

        Calling it again, also after either side was killed, sends only what is missing (law 5).

        Args:
            applications: encoded (`controller.asking.submission.encode_application`), in order; a sequence is read
                where it lies, anything else is collected: about 17 KB an application.
            told: called with (stored, all) as answers come.
        """
        return self._run(Upload(batch_number, due, card_kind, applications, told=told))

    def status(self, batch_number: str) -> BatchState:
        """Give how far a batch is."""
        return self._run(asks_status(batch_number))

    def receipts(self, after: int, limit: int = RECEIPTS_A_PAGE) -> Receipts:
        """Give the receipts numbered above `after`, as many as are there, at most `limit`."""
        return self._run(asks_receipts(after, limit))

    def acknowledge(self, upto: int) -> Acknowledged:
        """Say that all receipts up to and with `upto` are safe here."""
        return self._run(asks_acknowledge(upto))

    def cancel(self, acceptance_number: str, reason: str) -> Done:
        """Cancel an accepted application that is not yet on a sheet."""
        return self._run(asks_cancel(acceptance_number, reason))

    def express(self, acceptance_number: str, reason: str) -> Done:
        """Let an application that is not yet on a sheet go before the others."""
        return self._run(asks_express(acceptance_number, reason))

    def check_counts(self, batch_number: str) -> CountsAgree:
        """Compare the centre's counts of a batch with the receipts it gave, and with law 4; reads all receipts."""
        return self._run(CheckCounts(batch_number))

    def correct(self, acceptance_number: str, revision: int, application: bytes) -> Corrected:
        """Put another content, encoded, in the place of an application that was refused or is held.

        `revision` counts an application's corrections from 1.  Its verdict follows as a receipt.
        """
        return self._run(asks_correct(acceptance_number, revision, application))

    def follow_receipts(
        self, after: int = 0, *, limit: int = RECEIPTS_A_PAGE, rest_s: float = 0.5
    ) -> Iterator[list[Receipt]]:
        """Give pages of receipts above `after` for ever; asking for the next page acknowledges the one before.

        So a page must be safe before the next is asked for.  A page is empty when nothing new came within `rest_s`.
        """
        acknowledge = False
        while True:
            page = self._run(NextReceipts(after, acknowledge=acknowledge, limit=limit, rest_s=rest_s))
            yield page
            after, acknowledge = (page[-1].number, True) if page else (after, False)


class OperatorClient(SyncLink):
    """What an operator does: one command after the other."""

    answers = OPERATOR_ANSWERS

    def command(self, verb: str, /, **args: Any) -> Any:
        """Give the result of a verb (`docs/protocol.md` lists them).

        Verbs that only read are asked again when no answer comes.  Any other is sent once: without an answer nobody
        knows whether it was done, and saying it twice might do it twice.

        Raises: ClientError: Refused; `client.outcome_unknown`: sent, but no answer came in time.
        """
        question = Question(Command(verb=verb, args=args), Done, repeatable=verb in READING)
        return self._run(question).result


class TrioUpstreamClient:
    """`UpstreamClient` for trio: any number of tasks may call it at once, over one socket with a task of its own.

    A call that is cancelled is forgotten here; what it asked for may be done at the service.
    """

    def __init__(self, dealer: DealerSocket, patience: Patience, doubt: Doubt | None = None) -> None:
        self._dealer, self._patience = dealer, patience
        self._conversation = Conversation(UPSTREAM_ANSWERS, patience, doubt)
        self._nap = trio.CancelScope()

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        endpoint: str,
        server_public: str | Path,
        secret: KeyPair | PlainName | Path,
        *,
        patience: Patience = PATIENCE,
        receipt_keys: PublicKeys | Path | None = None,
    ) -> AsyncIterator[Self]:
        """Give a client as `UpstreamClient.connect` does, for the time of an `async with`."""
        doubt = signature_check(receipt_keys)
        with Context() as ctx:
            async with AsyncExitStack() as stack:
                try:
                    keys, server_key = _own_keys(secret), _server_key(server_public)
                    link = connect_dealer(ctx, endpoint, my_keys=keys, server_public_key=server_key)
                    client = cls(await stack.enter_async_context(link), patience, doubt)
                except LinkError as error:
                    raise ClientError(error.code, error.sentence) from None
                await stack.enter_async_context(client._pumping())
                yield client

    async def hello(self) -> Welcome:
        """As `UpstreamClient.hello`; so do all that follow."""
        return await self._run(asks_hello())

    async def open_batch(
        self, batch_number: str, due: str, count: int, digest: str, card_kind: str = "second"
    ) -> BatchState:
        """Announce a batch, or ask what is missing."""
        return await self._run(asks_batch(batch_number, due, count, digest, card_kind))

    async def send_chunk(self, batch_number: str, first: int, applications: Sequence[bytes]) -> ChunkStored:
        """Send encoded applications."""
        return await self._run(asks_chunk(batch_number, first, applications))

    async def submit_batch(
        self,
        batch_number: str,
        due: str,
        applications: Iterable[bytes],
        *,
        card_kind: str = "second",
        told: Told | None = None,
    ) -> BatchState:
        """Bring a whole batch."""
        return await self._run(Upload(batch_number, due, card_kind, applications, told=told))

    async def status(self, batch_number: str) -> BatchState:
        """Give how far a batch is."""
        return await self._run(asks_status(batch_number))

    async def receipts(self, after: int, limit: int = RECEIPTS_A_PAGE) -> Receipts:
        """Give the receipts above `after`."""
        return await self._run(asks_receipts(after, limit))

    async def acknowledge(self, upto: int) -> Acknowledged:
        """Say that receipts are safe here."""
        return await self._run(asks_acknowledge(upto))

    async def cancel(self, acceptance_number: str, reason: str) -> Done:
        """Cancel an accepted application that is not yet on a sheet."""
        return await self._run(asks_cancel(acceptance_number, reason))

    async def express(self, acceptance_number: str, reason: str) -> Done:
        """Let an application that is not yet on a sheet go before the others."""
        return await self._run(asks_express(acceptance_number, reason))

    async def check_counts(self, batch_number: str) -> CountsAgree:
        """Compare the centre's counts of a batch with its receipts."""
        return await self._run(CheckCounts(batch_number))

    async def correct(self, acceptance_number: str, revision: int, application: bytes) -> Corrected:
        """Put another content in the place of an application that was refused or is held."""
        return await self._run(asks_correct(acceptance_number, revision, application))

    async def follow_receipts(
        self, after: int = 0, *, limit: int = RECEIPTS_A_PAGE, rest_s: float = 0.5
    ) -> AsyncGenerator[list[Receipt], None]:
        """Give pages of receipts, each acknowledged when the next is asked for."""
        acknowledge = False
        while True:
            page = await self._run(NextReceipts(after, acknowledge=acknowledge, limit=limit, rest_s=rest_s))
            yield page
            after, acknowledge = (page[-1].number, True) if page else (after, False)

    async def _run(self, exchange: Exchange[Result]) -> Result:
        ended = trio.Event()
        exchange.on_end = ended.set
        self._conversation.begin(exchange)
        self._nap.cancel()
        try:
            await ended.wait()
        finally:
            self._conversation.drop(exchange)
        return exchange.result()

    @asynccontextmanager
    async def _pumping(self) -> AsyncIterator[None]:
        """Pump for the time of an `async with`; an error of its body leaves as it is, not in a group."""
        failed: BaseException
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._pump)
                try:
                    yield
                finally:
                    nursery.cancel_scope.cancel()
            return
        except BaseExceptionGroup as group:
            if len(group.exceptions) > 1:
                raise
            failed = group.exceptions[0]
        raise failed

    async def _pump(self) -> None:
        """Send what is due and take answers, until the link is of no more use."""
        try:
            while True:
                await self._send_due()
                with trio.CancelScope(deadline=self._conversation.due_s()) as self._nap:
                    body = await self._dealer.recv()
                    self._conversation.received(body, trio.current_time())
        except LinkError as error:
            self._conversation.close(ClientError(error.code, error.sentence))

    async def _send_due(self) -> None:
        while (frame := self._conversation.next_frame(trio.current_time())) is not None:
            with trio.move_on_after(self._patience.answer_within_s) as scope:
                await self._dealer.send(frame)
            if scope.cancelled_caught:
                code = "link.timeout" if self._dealer.connected else "link.unreachable"
                self._conversation.unsent(trio.current_time(), LinkTimeout(code, self._dealer.endpoint).sentence)
                return


def _own_keys(secret: KeyPair | PlainName | Path) -> KeyPair | PlainName:
    if not isinstance(secret, Path):
        return secret
    return read_pair(secret.parent, secret.stem if secret.suffix == ".secret" else secret.name)


def _server_key(server_public: str | Path) -> str:
    return read_public(server_public) if isinstance(server_public, Path) else server_public
