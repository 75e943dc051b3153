"""The desk's words, hours, terms and stages: a TOML file over the packaged one, refused with every fault."""

from app.rules.decrees import decreed_since
from app.rules.loading import RulesFault, load_rules, rules_from
from app.rules.section import Fault
from app.rules.values import (
    AlertTimes,
    Chats,
    Closing,
    DeskRules,
    DigestTimes,
    Pace,
    People,
    Phrases,
    Policy,
    ReadFields,
    Rules,
    Source,
    TaskRules,
)

__all__ = [
    "AlertTimes",
    "Chats",
    "Closing",
    "DeskRules",
    "DigestTimes",
    "Fault",
    "Pace",
    "People",
    "Phrases",
    "Policy",
    "ReadFields",
    "Rules",
    "RulesFault",
    "Source",
    "TaskRules",
    "decreed_since",
    "load_rules",
    "rules_from",
]
