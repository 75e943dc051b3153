"""The desk as seen through HTTP: events in, pages, figures and health out (contract.md 3)."""
