"""What the commands do, once settings are read: each prints and answers whether all went well."""

from app.commands.backing_up import backup
from app.commands.explaining import explain
from app.commands.exporting import export
from app.commands.failing import failed
from app.commands.preparing import check, provision
from app.commands.purging import purge
from app.commands.reconciling import nothing_left, reconcile
from app.commands.reporting import digest, digest_as_known
from app.commands.ruling import apply_rules, preview_rules
from app.commands.simulating import simulate
from app.commands.speech import Mistake

__all__ = [
    "Mistake",
    "apply_rules",
    "backup",
    "check",
    "digest",
    "digest_as_known",
    "explain",
    "export",
    "failed",
    "nothing_left",
    "preview_rules",
    "provision",
    "purge",
    "reconcile",
    "simulate",
]
