"""The portal's language and the road to it. Start with `portal.py`."""
