"""The desk as seen through HTTP: events in, pages, figures and health out (contract.md 3)."""

from app.web.application import create_app

__all__ = ["create_app"]
