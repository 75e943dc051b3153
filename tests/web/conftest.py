"""What a desk shows: every test has one of its own."""

from tests.web.desk import client, db, desk, file

__all__ = ["client", "db", "desk", "file"]
