"""Key pairs of the centre and its peers, and what may be wrong with links and keys."""

from __future__ import annotations

from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from devices.peers import key_text, z85_bytes

FAULTS = {  # code -> what is wrong and what to do; {} is what it is about, never a key
    "link.bad_key": "a key is 40 characters of Z85: make a pair with `cardmill keys new`",
    "link.no_zap": "no ZAP task serves this context, and without one any key would be let in: start serve_zap first",
    "link.zap_taken": "a ZAP task serves this context already: one is enough",
    "link.bad_endpoint": "{} is no endpoint: write tcp://ADDRESS:PORT, or ipc://PATH in a folder you own",
    "link.insecure": "{} can be reached from outside, where a name proves nothing: name a loopback address, or"
    " set sockets.insecure to false",
    "link.address_in_use": "{} is taken: stop the program that holds it, or set another port",
    "link.address_not_here": "{} is not an address of this machine: set one that is",
    "link.address_denied": "{} is not open to this account: set a port from 1024 up",
    "link.too_long": "{} bytes are more than one message may have: send less at once",
    "link.peer_gone": "the peer has left: it has to ask again",
    "link.peer_shed": "the peer reads too slowly, what waited for it is dropped: it has to ask again",
    "link.key_refused": "{} does not know your key: have it listed with `cardmill keys allow`",
    "link.not_cardmill": "{} does not speak with you as a Cardmill service does: check its address, its port,"
    " your copy of its public key, and both versions",
    "link.unreachable": "{} lets nobody in: check that it runs, its address, and your copy of its public key",
    "link.timeout": "{} is there but gave no answer in time: ask again",
    "link.closed": "the socket is closed",
    "keys.bad_name": "{} is no name for a key: up to 32 of a-z, 0-9 and -, the first not a -",
    "keys.bad_role": "{} is no role: keys are allowed as upstream, station or operator",
    "keys.bad_key": "{} does not hold one key, 40 characters of Z85: restore it, or remove it",
    "keys.mode": "others may use the secret: chmod 600 {}",
    "keys.missing": "{} is not there: check the folder, or make it with `cardmill keys new`",
    "keys.exists": "{} is there already: take another name or folder",
    "keys.name_taken": "{} holds another key: take another name, or remove it",
    "keys.shared": "{} have the same key: each needs its own",
    "keys.mismatch": "{} is not the public key of the secret beside it: remove the wrong one",
    "keys.secret_missing": "{} is gone: restore it from the backup; or remove the public half too and give every peer"
    " the new one",
    "keys.bad_roles": "{} names no role of a person: they are operator, supervisor, stock_keeper, quality, auditor,"
    " administrator, apart by blanks, and only beside an operator's key",
    "keys.rotating": "{} has a next key already: end that rotation with `cardmill keys rotate --finish`",
    "keys.not_rotating": "{} has no next key: begin with `cardmill keys rotate`",
    "keys.io": "{}",
}


class LinkError(Exception):
    """The errors of links and keys: `code` is stable (see FAULTS), `sentence` says what to do."""

    def __init__(self, code: str, about: object = "") -> None:
        self.code, self.sentence = code, FAULTS[code].format(about)
        super().__init__(f"{code}: {self.sentence}")


class PeerGone(LinkError):
    """A message that cannot reach its peer, which has left or (link.peer_shed) reads too slowly."""

    def __init__(self, peer: bytes, code: str = "link.peer_gone") -> None:
        super().__init__(code)
        self.peer = peer


class LinkTimeout(LinkError):
    """Nothing came, or nothing could be sent, in the time given."""


class KeyFileError(LinkError):
    """A key file, or the name or role of one, that cannot be used; codes `keys.*`."""


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A CURVE pair (X25519), each key 40 characters of Z85."""

    public: str
    secret: str = field(repr=False)


def curve_keypair() -> KeyPair:
    """A fresh pair, from the system's randomness."""
    return _pair(X25519PrivateKey.generate())


def public_from_secret(secret: str) -> str:
    """The public key that belongs to a secret one.  Raises: LinkError link.bad_key."""
    return _pair(X25519PrivateKey.from_private_bytes(key_bytes(secret))).public


def key_bytes(key: str) -> bytes:
    """The 32 bytes of a key's Z85.  Raises: LinkError link.bad_key: its length, a character or a sum is wrong."""
    found = z85_bytes(key)
    if found is None:
        raise LinkError("link.bad_key")
    return found


def _pair(private: X25519PrivateKey) -> KeyPair:
    return KeyPair(key_text(private.public_key().public_bytes_raw()), key_text(private.private_bytes_raw()))
