"""Secrets at rest: encrypted with a key made of B24SLA_SECRET_KEY.

The settings' key may be a phrase that a person chose, so it is stretched by scrypt; the salt stands in
front of each value. Fernet encrypts and signs: a value that was touched is not read.
"""

from __future__ import annotations

import base64
import secrets
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

SALT_BYTES = 16
COST, BLOCK, LANES = 2**14, 8, 1  # 16 MiB and about 50 ms, once for each salt in a process


class WrongKey(Exception):
    """The stored secrets were sealed with another key, or touched."""


class Seal:
    """Seals and opens; its own salt is new in every process."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._salt = secrets.token_bytes(SALT_BYTES)

    def __repr__(self) -> str:
        return "Seal()"

    def sealed(self, text: str) -> str:
        """Encrypted; another text each time."""
        token = _fernet(self._key, self._salt).encrypt(text.encode()).decode()
        return f"{base64.urlsafe_b64encode(self._salt).decode()}.{token}"

    def opened(self, sealed: str) -> str:
        """Raises WrongKey."""
        salt, _, token = sealed.partition(".")
        try:
            return _fernet(self._key, base64.urlsafe_b64decode(salt)).decrypt(token.encode()).decode()
        except (InvalidToken, ValueError) as fault:
            raise WrongKey from fault


@lru_cache(maxsize=32)
def _fernet(key: str, salt: bytes) -> Fernet:
    stretched = Scrypt(salt=salt, length=32, n=COST, r=BLOCK, p=LANES).derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(stretched))
