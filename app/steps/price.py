"""What saying a reply costs, for whoever is to sign it."""

from __future__ import annotations

from app.ports import OutsideError, Price, Priced
from app.steps.river import River
from app.store.tables import Account


def is_priced(river: River, account: Account) -> bool:
    """Whether the account's network charges for what is said."""
    kind = river.outside.registry.channels.get(account.channel)
    return kind is not None and issubclass(kind, Priced)


def price_of(river: River, account: Account, text: str) -> Price | None:
    """What a whole public text costs at most; None where its network charges nothing, or the account cannot be opened."""
    if not is_priced(river, account):
        return None
    try:
        channel = river.outside.channel(account)
    except OutsideError:
        return None
    return channel.price(text) if isinstance(channel, Priced) else None
