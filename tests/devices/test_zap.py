"""ZAP: the decision for any frames whatever, and the task that answers libzmq from a list of keys."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import trio
import zmq
from hypothesis import given
from hypothesis import strategies as st

from devices.key_ring import KeyRing
from devices.keys import KeyPair, LinkError, key_bytes
from devices.peers import OPERATOR, STATION, UPSTREAM, fingerprint
from devices.zap import VERSION, DomainCount, Verdict, decide, serve_router, serve_zap
from devices.zlink import ZAP_ENDPOINT, Context, connect_dealer
from tests.devices.test_zlink_hostile import ALICE, BOB, LIMITS, MALLORY, SERVER, SURELY_S
from tests.devices.test_zlink_stress import RawSocket


def request(*credentials: bytes, mechanism: bytes = b"CURVE", domain: bytes = b"station") -> list[bytes]:
    return [b"from", b"", VERSION, b"77", domain, b"127.0.0.1", b"identity", mechanism, *credentials]


def allow_alice(domain: str, public: str) -> str | None:
    return "alice" if (domain, public) == (STATION, ALICE.public) else None


def test_a_listed_key_is_answered_200_with_its_name_its_key_and_the_id_of_the_request() -> None:
    verdict = decide(request(key_bytes(ALICE.public)), allow_alice)
    known_by = b"\x05X-Key\x00\x00\x00\x10" + fingerprint(ALICE.public).encode()
    assert verdict == Verdict(STATION, "alice", [b"from", b"", b"1.0", b"77", b"200", b"OK", b"alice", known_by])


@pytest.mark.parametrize(
    "frames",
    [
        request(key_bytes(BOB.public)),
        request(key_bytes(ALICE.public), domain=b"operator"),
        request(key_bytes(ALICE.public), domain=b"\xff\xfe"),
        request(key_bytes(ALICE.public), domain=b""),
        request(key_bytes(ALICE.public), mechanism=b"PLAIN"),
        request(key_bytes(ALICE.public), mechanism=b"curve"),
    ],
)
def test_anything_else_is_answered_400_without_a_name(frames: list[bytes]) -> None:
    verdict = decide(frames, allow_alice)
    assert verdict is not None
    assert verdict.user is None
    assert verdict.reply[:5] == [b"from", b"", b"1.0", b"77", b"400"]
    assert verdict.reply[6:] == [b"", b""]


@pytest.mark.parametrize(
    "frames",
    [
        request(key_bytes(ALICE.public), mechanism=b"PLAIN"),
        request(b"alice", b"password", mechanism=b"PLAIN"),
        request(mechanism=b"NULL"),
        request(),
        request(b""),
        request(key_bytes(ALICE.public)[:-1]),
        request(key_bytes(ALICE.public), b"more"),
    ],
)
def test_without_one_whole_curve_key_the_list_is_not_even_asked(frames: list[bytes]) -> None:
    verdict = decide(frames, lambda _domain, _public: pytest.fail("asked"))
    assert verdict is not None
    assert (verdict.user, verdict.reply[4]) == (None, b"400")


@pytest.mark.parametrize("length", range(8))
def test_a_request_cut_short_is_none(length: int) -> None:
    assert decide(request(key_bytes(ALICE.public))[:length], allow_alice) is None


def test_a_name_that_is_empty_is_no_name() -> None:
    verdict = decide(request(key_bytes(ALICE.public)), lambda _domain, _public: "")
    assert verdict is not None
    assert (verdict.user, verdict.reply[4]) == (None, b"400")


frames_of_any_kind = st.lists(st.sampled_from(request(bytes(32))) | st.binary(max_size=40), max_size=12)


@given(frames_of_any_kind)
def test_frames_of_any_kind_are_answered_or_dropped_and_nobody_is_let_in(frames: list[bytes]) -> None:
    verdict = decide(frames, lambda _domain, _public: None)
    if verdict is None:
        assert len(frames) < 8 or frames[1] or frames[2] != VERSION
    else:
        assert (verdict.user, verdict.reply[:4]) == (None, [frames[0], b"", VERSION, frames[3]])
        assert verdict.reply[4:] == [b"400", b"this key is not listed", b"", b""]


async def ask(raw: RawSocket, frames: list[bytes]) -> list[bytes]:
    """The reply to a request sent as libzmq would; the ROUTER adds the envelope."""
    raw.send_multipart(frames[1:])
    with trio.fail_after(SURELY_S):
        while not raw.poll(0):
            await trio.lowlevel.checkpoint()
    return raw.recv_multipart()


async def test_malformed_requests_are_counted_and_the_task_lives_on() -> None:
    rnd = random.Random(4)
    with Context() as ctx:
        async with trio.open_nursery() as nursery:
            counts = await nursery.start(serve_zap, ctx, allow_alice)
            with ctx._raw.socket(zmq.DEALER) as raw:
                raw.linger = 0
                raw.connect(ZAP_ENDPOINT)
                for _ in range(300):
                    raw.send_multipart([rnd.randbytes(rnd.randint(1, 40)) for _ in range(rnd.randint(1, 12))])
                good = request(key_bytes(ALICE.public))
                assert (await ask(raw, good))[:6] == [b"", b"1.0", b"77", b"200", b"OK", b"alice"]
                assert (await ask(raw, request(key_bytes(BOB.public))))[3] == b"400"
            assert counts.malformed == 300
            assert counts.domains == {STATION: DomainCount(ok=1, denied=1)}
            nursery.cancel_scope.cancel()


async def test_a_context_has_one_zap_task_and_may_have_another_after_it() -> None:
    with Context() as ctx:
        for _ in range(2):
            async with trio.open_nursery() as nursery:
                await nursery.start(serve_zap, ctx, allow_alice)
                with pytest.raises(LinkError, match=r"link\.zap_taken"):
                    await serve_zap(ctx, allow_alice)
                assert ctx.zap_bound
                nursery.cancel_scope.cancel()
            assert not ctx.zap_bound


async def test_a_fault_of_the_list_ends_the_task_and_lets_nobody_in() -> None:
    def broken(_domain: str, _public: str) -> str | None:
        raise ZeroDivisionError

    async def serve() -> None:
        async with trio.open_nursery() as nursery:
            await nursery.start(serve_zap, ctx, broken)
            serving = serve_router(ctx, "tcp://127.0.0.1:*", role=STATION, server_keys=SERVER, limits=LIMITS)
            async with serving as router:
                connecting = connect_dealer(
                    ctx, router.endpoint, my_keys=ALICE, server_public_key=SERVER.public, limits=LIMITS
                )
                async with connecting:
                    await router.recv()

    with Context() as ctx:
        with trio.fail_after(SURELY_S), pytest.raises(ExceptionGroup) as caught:
            await serve()
        assert caught.group_contains(ZeroDivisionError)
        assert not ctx.zap_bound


async def test_roles_have_their_own_sockets_lists_and_counts_and_a_reload_lets_a_new_key_in(tmp_path: Path) -> None:
    ring = KeyRing(tmp_path)
    server = ring.ensure_server_keys()
    ring.allow(UPSTREAM, "alice", ALICE.public)
    ring.allow(OPERATOR, "bob", BOB.public)
    with Context() as ctx:
        async with trio.open_nursery() as nursery:
            counts = await nursery.start(serve_zap, ctx, ring.user_for)

            async def user(role: str, keys: KeyPair) -> str:
                """The name under which a key's message arrives at a role's socket, or why it does not."""
                serving = serve_router(ctx, "tcp://127.0.0.1:*", role=role, server_keys=server, limits=LIMITS)
                with trio.fail_after(SURELY_S):
                    async with serving as router:
                        connecting = connect_dealer(
                            ctx, router.endpoint, my_keys=keys, server_public_key=server.public, limits=LIMITS
                        )
                        async with connecting as dealer:
                            try:
                                await dealer.send(b"who am I?")
                            except LinkError as error:
                                return error.code
                            return (await router.recv()).user

            assert await user(UPSTREAM, ALICE) == "alice"
            assert await user(OPERATOR, BOB) == "bob"
            assert await user(OPERATOR, ALICE) == await user(UPSTREAM, BOB) == "link.key_refused"
            assert await user(STATION, MALLORY) == "link.key_refused"
            KeyRing(tmp_path).allow(STATION, "press-1", MALLORY.public)
            assert await user(STATION, MALLORY) == "link.key_refused", "another process has listed it: not yet read"
            ring.reload()
            assert await user(STATION, MALLORY) == "press-1"
            assert counts.domains == {
                UPSTREAM: DomainCount(ok=1, denied=1),
                OPERATOR: DomainCount(ok=1, denied=1),
                STATION: DomainCount(ok=1, denied=2),
            }
            nursery.cancel_scope.cancel()
