"""The emulated portal, the scripted support day and the command that joins them with the service."""
