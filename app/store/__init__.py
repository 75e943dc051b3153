"""What the service remembers: SQLite on one machine, PostgreSQL for several.

Functions take the open connection first: the caller owns the transaction
(`Database.begin()` or `.read()`) and so decides what happens together.
"""
