"""The digest and its figures as plain values for JSON: RFC 3339 UTC, minutes, shares 0..1."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from app import words
from app.metrics import wording
from app.metrics.board import Burning
from app.metrics.digest import AgentLine, Digest, Late
from app.metrics.kpi import Kpi

Tree = dict[str, Any]
HAPPENED = ("figures", "by_class", "late", "agents", "topics", "aging")


def kpi_tree(kpi: Kpi) -> Tree:
    """`{value, numerator, denominator, target, …}` of contract.md 3, without the address of its list."""
    return {
        "value": kpi.value,
        "numerator": kpi.numerator,
        "denominator": kpi.denominator,
        "target": kpi.target,
        "provisional": kpi.provisional,
        "estimated": kpi.estimated,
    }


def digest_tree(digest: Digest) -> Tree:
    """Everything a digest shows. Figures that were not read are null, not zero."""
    fresh, period = digest.fresh, digest.period
    return {
        "period": {"kind": period.kind, "first": str(period.first), "last": str(period.last)},
        "made_at": _moment(digest.made_at),
        "read_at": _moment(fresh.read_at),
        "unread": fresh.unread,
        "trouble": words.masked(fresh.trouble),
        "now": _now(digest) if fresh.knows_now() else None,
        **(_happened(digest) if digest.known else dict.fromkeys(HAPPENED)),
    }


def _happened(digest: Digest) -> Tree:
    topics = [
        {"area": topic.area, "count": topic.count, "objects": topic.objects, "days": topic.days}
        for topic in digest.topics
    ]
    found = (
        _figures(digest.figures),
        {str(value): _figures(figures) for value, figures in digest.by_class.items()},
        [_late(line) for line in digest.late],
        [_agent(line, digest) for line in digest.agents],
        topics,
        {"working_days": list(digest.aging.ages), "paused": digest.aging.paused},
    )
    return dict(zip(HAPPENED, found, strict=True))


def _figures(figures: Mapping[str, Kpi]) -> Tree:
    return {code: kpi_tree(kpi) for code, kpi in figures.items()}


def _now(digest: Digest) -> Tree:
    due = digest.expiring
    return {
        "burning": [_burning(ticket) for ticket in digest.burning],
        "expiring": [str(ref) for ref in due.refs],
        "before_noon": due.before_noon,
        "unassigned": due.unassigned,
    }


def _burning(ticket: Burning) -> Tree:
    return {
        "ref": str(ticket.ref),
        "title": words.masked(ticket.title),
        "agent_id": ticket.agent,
        "clock": ticket.clock,
        "due_at": _moment(ticket.due_at),
        "overdue": ticket.overdue,
        "left_minutes": _minutes(ticket.left),
        "waits_head_minutes": _minutes(ticket.waits_head),
    }


def _late(line: Late) -> Tree:
    return {
        "ref": str(line.ref),
        "title": words.masked(line.title),
        "agent_id": line.agent,
        "class": line.value,
        "reply_over_minutes": _minutes(line.reply_over),
        "solve_over_minutes": _minutes(line.solve_over),
        "still_open": line.still_open,
        "reason": line.reason,
    }


def _agent(line: AgentLine, digest: Digest) -> Tree:
    return {
        "agent_id": line.agent,
        "agent": wording.agent_name(line.agent, digest.office.names) if line.agent is not None else None,
        "received": line.received,
        "solved": line.solved,
        "open": line.open,
        "sla": kpi_tree(line.sla),
        "overloaded": line.overloaded,
        "bonus": line.bonus,
    }


def _moment(at: datetime | None) -> str | None:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if at else None


def _minutes(length: timedelta | None) -> int | None:
    return int(length.total_seconds()) // 60 if length is not None else None
