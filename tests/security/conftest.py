"""What strangers may try: every test has a desk of its own."""

from tests.web.desk import client, db, desk, file

__all__ = ["client", "db", "desk", "file"]
