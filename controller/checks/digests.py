"""The two keyed digests by which duplicates are searched, and which alone outlive a purge (law 8)."""

from __future__ import annotations

import hmac

from controller.application import Application
from controller.checks.number import readable_number

_SEPARATOR = b"\xff"  # occurs in no UTF-8 text, so no two different sets of fields give the same message


def person_digests(app: Application, site_key: bytes) -> tuple[bytes, bytes]:
    """Give the digests (identity, person), 32 bytes each, of an application under the site's key.

    The first is of the identity number in its normal form, the second of number, name, sex and birth.  A number whose
    form cannot be read stands for itself, so that even faulty rows have digests.
    Source: HMAC-SHA-256, RFC 2104.
    """
    number = readable_number(app) or app.identity_number
    parts = [text.encode("utf-8", "surrogatepass") for text in (number, app.name, app.sex, app.birth)]
    identity = hmac.digest(site_key, b"identity" + _SEPARATOR + parts[0], "sha256")
    person = hmac.digest(site_key, b"person" + _SEPARATOR + _SEPARATOR.join(parts), "sha256")
    return identity, person
