"""`b24sla serve` whose lease is short, so that a test need not wait for ten seconds: nothing else differs."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from app import logs, serving
from app.jobs import lead
from app.settings import Settings

if __name__ == "__main__":
    lead.TTL = timedelta(seconds=1)
    vars(serving)["PACE"] = timedelta(seconds=0.2)
    settings = Settings.read()
    logs.configure(settings.log_level, settings.log_format)
    asyncio.run(serving.serve(settings))
