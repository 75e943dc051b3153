"""Faults on order: the network's, which hit a whole request, and the portal's, which hit one call."""

from collections.abc import Collection
from dataclasses import dataclass, field

TRANSPORT = frozenset({"http502", "http504", "html", "hang", "reset", "timeout_after_apply", "cut"})
CALLS = frozenset(
    {"limit", "operating", "access", "expired", "overload", "deleted", "credentials", "scope", "user_access",
     "internal", "not_found"}
)  # fmt: skip


@dataclass(slots=True)
class _Order:
    method: str | None
    kind: str
    left: int


@dataclass(slots=True)
class Faults:
    """What shall go wrong next. `down`: nobody listens; `hang_for`: seconds of silence over a real socket."""

    down: bool = False
    hang_for: float = 60.0
    _orders: list[_Order] = field(default_factory=list)

    def fail(self, method: str | None, kind: str, times: int = 1) -> None:
        """Let the next `times` requests or calls of a method (None: any) fail. ValueError: no such kind."""
        if kind not in TRANSPORT | CALLS:
            raise ValueError(f"no such fault: {kind}")
        self._orders.append(_Order(method.lower() if method else None, kind, times))

    def clear(self) -> None:
        self._orders.clear()
        self.down = False

    def transport(self, methods: Collection[str]) -> str | None:
        """The fault due for a request that names these methods; a batch names all its commands'."""
        return self._take(methods, TRANSPORT | {"limit"})

    def call(self, method: str) -> str | None:
        """The fault of a single call, also inside a batch."""
        return self._take((method.lower(),), CALLS - {"limit"})

    def _take(self, methods: Collection[str], kinds: Collection[str]) -> str | None:
        for order in self._orders:
            if order.left and order.kind in kinds and (order.method is None or order.method in methods):
                order.left -= 1
                return order.kind
        return None
