"""Outcomes → figures → text, picture, sheet. Pure; nothing here reads a clock or a database."""
