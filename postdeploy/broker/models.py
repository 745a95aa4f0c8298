"""What the brokerage's API says, strict: a missing, renamed or retyped field is an error that names it.

Another field than these is allowed, and told: an API grows, and nobody is broken by that.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, StringConstraints, ValidationError

from postdeploy.broker.money import parse

Amount = Annotated[Decimal, BeforeValidator(parse)]
Text = Annotated[str, StringConstraints(min_length=1)]
M = TypeVar("M", bound="Model")


class Model(BaseModel):
    """One answer, or a part of one."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}>"  # never a value: some are secrets

    @property
    def unknown(self) -> tuple[str, ...]:
        """Fields that nobody declared, by name, of the parts too."""
        found = set(self.model_extra or ())
        for name in type(self).model_fields:
            value = getattr(self, name)
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, Model):
                    found |= {f"{name}.{field}" for field in each.unknown}
        return tuple(sorted(found))


class Challenge(Model):
    """The answer to a right password."""

    challenge: Text
    factor: Literal["totp"]


class Granted(Model):
    """The answer to a right code, or to a refresh."""

    token: str
    token_type: Literal["Bearer"]
    expires_in: int
    """Seconds."""
    refresh_token: Text


class Proof(Model):
    """What an account must say of itself before anything is done with it: no more than that."""

    id: Text
    synthetic: bool
    payments: Literal["sandbox", "live"]


class Profile(Proof):
    """The account and the people behind it, as the pages show them."""

    username: Text
    currency: Text
    country: Text
    kyc: Literal["verified", "pending", "none"]
    RM_Name: Text
    RM_Phone: Text
    RM_Photo: Text


class Instrument(Model):
    """Something this account is offered."""

    symbol: Text
    name: Text
    asset_class: Text
    product: Text
    currency: Text
    tradable: bool


class Instruments(Model):
    """Everything this account is offered."""

    instruments: tuple[Instrument, ...]


class Quote(Model):
    """One price."""

    symbol: Text
    bid: Amount
    ask: Amount
    at: AwareDatetime
    session: Literal["open", "closed", "suspended"]


class Quotes(Model):
    """Every price."""

    quotes: tuple[Quote, ...]


class Holiday(Model):
    """A day on which a market is closed."""

    date: date
    name: Text
    market: Text


class Calendar(Model):
    """The product's own market calendar."""

    holidays: tuple[Holiday, ...]


class Preview(Model):
    """What an order would cost."""

    symbol: Text
    quantity: Amount
    price: Amount
    cost: Amount
    currency: Text
    order: str | None
    """The order, where one was placed: a preview places none."""


class Document(Model):
    """One document of the list."""

    id: Text
    kind: Text
    title: Text


class Documents(Model):
    """The client's documents."""

    documents: tuple[Document, ...]


class Content(Model):
    """A document that was opened."""

    id: Text
    kind: Text
    content: str


class Statement(Model):
    """One statement."""

    period: Text
    pages: int
    currency: Text


class Statements(Model):
    """The client's statements."""

    statements: tuple[Statement, ...]


def read(model: type[M], said: Any) -> tuple[M | None, str]:
    """The answer as its model, or what is wrong with it, by the names of the fields."""
    try:
        return model.model_validate_json(msgspec.json.encode(said)), ""
    except ValidationError as error:
        return None, _wrong(model, error, said)


def moment(text: str) -> datetime:
    """A time as the API writes it."""
    return datetime.fromisoformat(text)


def _wrong(model: type[Model], error: ValidationError, said: Any) -> str:
    found = []
    for each in error.errors(include_url=False, include_input=False):
        where = ".".join(str(part) for part in each["loc"])
        found.append(f"missing required field `{where}`" if each["type"] == "missing" else f"`{where}`: {each['msg']}")
    strangers = sorted(set(said) - set(model.model_fields)) if isinstance(said, dict) else []
    also = f" (there are unknown fields: {', '.join(f'`{each}`' for each in strangers)})" if strangers else ""
    return "; ".join(found[:5]) + also
