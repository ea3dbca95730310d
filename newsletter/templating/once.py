"""A property that is made when it is first asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

_Value = TypeVar("_Value")


class made_once(Generic[_Value]):  # noqa: N801  # a decorator, as `cached_property` is
    """As `functools.cached_property`, without the lock that it has before Python 3.12."""

    def __init__(self, make: Callable[[Any], _Value]) -> None:
        self._make = make
        self._name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> made_once[_Value]: ...
    @overload
    def __get__(self, owner: object, kind: type) -> _Value: ...
    def __get__(self, owner: object | None, kind: type) -> made_once[_Value] | _Value:
        if owner is None:
            return self
        value = owner.__dict__[self._name] = self._make(owner)
        return value
