"""An emulated Bitrix24 portal. It imports nothing of the service and shares no code with it."""

from .portal import EmulatedPortal
from .profile import CLOUD_STD, ENTERPRISE, SELF_HOSTED, UNLIMITED, Profile

__all__ = ["CLOUD_STD", "ENTERPRISE", "SELF_HOSTED", "UNLIMITED", "EmulatedPortal", "Profile"]
