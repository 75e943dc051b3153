"""What a client's text is: class, area, reason (pure; no text is ever logged)."""

from app.triage.phrases import folded, is_acknowledgement, is_automatic, is_thanks, spoken_text
from app.triage.verdict import VERSION, classify

__all__ = ["VERSION", "classify", "folded", "is_acknowledgement", "is_automatic", "is_thanks", "spoken_text"]
