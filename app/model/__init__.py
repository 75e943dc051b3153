"""Values that cross packages.

Conventions: instants end in `_at` and are aware UTC; lengths are `timedelta`;
people are Bitrix24 user ids; every value is frozen.
"""

from app.model.acts import (
    Decision,
    Message,
    MessageKind,
    Person,
    Stamp,
)
from app.model.clocks import (
    Cycle,
    Entry,
    EntryKind,
    ExplainedSpan,
    Ledger,
)
from app.model.facts import (
    Fact,
    FactKind,
)
from app.model.installation import (
    Installation,
    Tokens,
)
from app.model.items import (
    DEAL_TYPE,
    Event,
    Hint,
    HintKind,
    ItemRef,
    Kind,
    Lane,
    Subject,
    parse_subject,
)
from app.model.readings import (
    Card,
    Gone,
    Move,
    Reading,
    Utterance,
)
from app.model.story import (
    ClassChange,
    Extension,
    Handing,
    LevelAnswer,
    Span,
    Spoken,
    StateChange,
    Story,
)
from app.model.tickets import (
    Outcome,
    Ticket,
    Verdict,
)
from app.model.tracks import Track
from app.model.vocabulary import (
    CLOSED_STATES,
    DONE_STATES,
    URGENCY,
    VOID_STATES,
    Area,
    ClockName,
    OutcomeWord,
    Side,
    SlaState,
    State,
    TicketClass,
)

__all__ = [
    "CLOSED_STATES",
    "DEAL_TYPE",
    "DONE_STATES",
    "URGENCY",
    "VOID_STATES",
    "Area",
    "Card",
    "ClassChange",
    "ClockName",
    "Cycle",
    "Decision",
    "Entry",
    "EntryKind",
    "Event",
    "ExplainedSpan",
    "Extension",
    "Fact",
    "FactKind",
    "Gone",
    "Handing",
    "Hint",
    "HintKind",
    "Installation",
    "ItemRef",
    "Kind",
    "Lane",
    "Ledger",
    "LevelAnswer",
    "Message",
    "MessageKind",
    "Move",
    "Outcome",
    "OutcomeWord",
    "Person",
    "Reading",
    "Side",
    "SlaState",
    "Span",
    "Spoken",
    "Stamp",
    "State",
    "StateChange",
    "Story",
    "Subject",
    "Ticket",
    "TicketClass",
    "Tokens",
    "Track",
    "Utterance",
    "Verdict",
    "parse_subject",
]
