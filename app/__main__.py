"""`python -m app` is `b24sla`."""

from app.cli import main

main()
