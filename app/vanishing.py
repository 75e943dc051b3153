"""Items that cannot be read any more: a few were deleted, many at once mean lost rights.

The portal answers alike to both. Tickets come to be read one by one as they come due, so what has
vanished is counted over an hour, not in one reading (architecture.md 3: stop, tell, change nothing).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from app.model import ItemRef

AT_ONCE = timedelta(hours=1)
COUNT, SHARE = 10, 0.05
"""More open tickets than both of these, gone within AT_ONCE, and nobody told of a deletion."""


@dataclass(slots=True)
class Vanished:
    """Open tickets whose items were missing when last looked for, and since when."""

    since: dict[ItemRef, datetime] = field(default_factory=dict)
    lost_rights: bool = False

    def seen(self, refs: Iterable[ItemRef]) -> None:
        """These can be read: rights are back as soon as one of the missing is."""
        back = [ref for ref in refs if self.since.pop(ref, None) is not None]
        if back:
            self.lost_rights = False

    def missed(self, refs: Iterable[ItemRef], open_count: int, now: datetime) -> bool:
        """These cannot. True: it must be the rights, and none of the missing may be taken for deleted."""
        if not self.lost_rights:  # while they are lost, nothing that is missing falls out of sight
            self.since = {ref: at for ref, at in self.since.items() if now - at < AT_ONCE}
        for ref in refs:
            self.since.setdefault(ref, now)
        self.lost_rights = self.lost_rights or len(self.since) > max(COUNT, SHARE * open_count)
        return self.lost_rights
