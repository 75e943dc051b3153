"""From a told ticket to its tracks: what decides the verdicts, without the words (sla.md 2)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from app.model import VOID_STATES, ClassChange, Cycle, Extension, Story, TicketClass, Track
from app.pinning import Judging
from app.sla.course import classes_of
from app.sla.rounds import Round, rounds_of

LOOKED_AT = ("company", "contact", "object")
"""What a policy may ask beside fields of the card, whose codes begin with `extra:`."""


def tracks_of(
    story: Story, cycles: Sequence[Cycle], fields: Mapping[str, str], by: Judging, now: datetime
) -> Iterator[Track]:
    """One for each cycle that counts: a waived one has no verdict under any rules.

    What numbers cannot tell makes a track that is not plain.
    """
    asked = {code: value for code, value in fields.items() if value and _is_looked_at(code)}
    now = max(now, story.started_at)
    for of, cycle in zip(rounds_of(story, now), cycles, strict=True):
        if cycle.reply.waived:
            continue
        value, changes = classes_of(of, story.classes)
        agreed = [each for each in story.extensions if of.holds(each.at)]
        steps: list[ClassChange | Extension] = sorted([*changes, *agreed], key=lambda step: step.at)
        yield Track(
            ref=story.ref,
            cycle=cycle.number,
            value=value,
            started_at=cycle.started_at,
            replied_at=cycle.reply.met_at,
            solved_at=cycle.solution.met_at,
            steps=tuple(steps),
            pauses=cycle.solution.pauses,
            asked=asked,
            terms=by.rules.version,
            desk=by.desk,
            plain=not by.later and _is_plain(of, agreed) and _ends_as(story, value, changes),
        )


def _is_looked_at(code: str) -> bool:
    return code in LOOKED_AT or code.startswith("extra:")


def _ends_as(story: Story, value: TicketClass, changes: Sequence[ClassChange]) -> bool:
    """A former cycle counts under the class that the ticket has now, which its own changes do not tell."""
    return (changes[-1].value if changes else value) is story.classes[-1].value


def _is_plain(of: Round, agreed: Sequence[Extension]) -> bool:
    """Time in which it was no ticket and agreed dates with a return have rules of their own."""
    was_void = any(stay.state in VOID_STATES for stay in of.stays)
    return not was_void and not (agreed and of.reopened_at)
