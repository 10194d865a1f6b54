"""A large object that many tasks share, pickled once here and read once in each process."""

from __future__ import annotations

import pickle
import threading
from collections import OrderedDict
from typing import Any

KEPT = 4  # objects
_lock = threading.Lock()
_packed: OrderedDict[int, tuple[Any, bytes]] = OrderedDict()  # by identity, with the object, so that the identity stays its own
_read: OrderedDict[bytes, Any] = OrderedDict()


def pack(value: Any) -> bytes:
    """Its pickle; the same bytes for the same object. What is packed must not be changed afterwards."""
    with _lock:
        found = _packed.get(id(value))
    if found is not None:
        return found[1]
    text = pickle.dumps(value)
    _keep(_packed, id(value), (value, text))
    return text


def unpack(text: bytes) -> Any:
    """The object; the same one for the same bytes, so it must not be changed."""
    with _lock:
        if text in _read:
            _read.move_to_end(text)
            return _read[text]
    value = pickle.loads(text)
    _keep(_read, text, value)
    return value


def _keep(cache: OrderedDict[Any, Any], key: Any, value: Any) -> None:
    with _lock:
        cache[key] = value
        while len(cache) > KEPT:
            cache.popitem(last=False)
