"""The second factor: six digits of a secret and the time, each taken once (RFC 6238)."""

from __future__ import annotations

import hmac

import pyotp

STEP_S = 30
DRIFT_STEPS = 1  # a person's clock may be so many steps off, and a code takes time to type
ISSUER = "Cardmill"


def new_secret() -> str:
    """Give a secret, 160 bits in base32."""
    return pyotp.random_base32()


def uri(secret: str, name: str, centre: str) -> str:
    """Give what an authenticator takes, also as a QR code; it holds the secret."""
    return pyotp.TOTP(secret).provisioning_uri(name=f"{name}@{centre}", issuer_name=ISSUER)


def step_of(secret: str, code: str, wall_s: float, after_step: int) -> int | None:
    """Give the step whose code this is, at most one off the time; None when it is none, or of `after_step` or before.

    `wall_s`: seconds since 1970.
    """
    digits = code.replace(" ", "")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    totp, now, fits = pyotp.TOTP(secret), int(wall_s // STEP_S), None
    for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1):
        if hmac.compare_digest(totp.generate_otp(step), digits) and step > after_step:
            fits = step
    return fits
