"""Credentials at rest: sealed with the installation's key, opened only to be used."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet


class SealedWithAnotherKeyError(Exception):
    """Stored credentials cannot be opened: FULLCIRCLE_SECRET_KEY (or the key file) is not the one that sealed them."""


class Sealer:
    """Seals with the first key and opens with any, so that a key can be changed without a gap.

    A key may be any text of at least 16 characters; a Fernet key is used as it is.
    """

    def __init__(self, *keys: str) -> None:
        if not keys or any(len(key) < 16 for key in keys):
            raise ValueError("FULLCIRCLE_SECRET_KEY must have at least 16 characters")
        self._fernet = MultiFernet([Fernet(_fernet_key(key)) for key in keys])

    def seal(self, plain: Mapping[str, Any]) -> str:
        """The sealed form, as text."""
        return self._fernet.encrypt(json.dumps(dict(plain)).encode()).decode()

    def open(self, sealed: str) -> dict[str, Any]:
        """What was sealed; SealedWithAnotherKeyError where no key fits."""
        if not sealed:
            return {}
        try:
            opened: dict[str, Any] = json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken:
            raise SealedWithAnotherKeyError(
                "the stored credentials were sealed with another key: set FULLCIRCLE_SECRET_KEY to the one that was used, "
                "or reconnect"
            ) from None
        return opened


def _fernet_key(key: str) -> bytes:
    try:
        if len(base64.urlsafe_b64decode(key)) == 32:
            return key.encode()
    except ValueError:
        pass
    return base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest())


def key_from_file(path: Path) -> str:
    """The installation's key, made on first use and readable by its owner alone (0600)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
    with os.fdopen(handle, "w") as file:
        file.write(key + "\n")
        file.flush()
        os.fsync(file.fileno())
    return key
