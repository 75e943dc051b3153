"""What a person can do about an error of the portal, in a line of `check`."""

from __future__ import annotations

from app.bitrix.errors import Misconfigured, PortalError, RetryLater, ShutOut
from app.bitrix.methods import scope_of
from app.bitrix.results import Line

AGAIN = "портал сейчас не отвечает как должен: повторите b24sla check через минуту"
RIGHTS = "проверьте, что владельцу вебхука это видно на портале"
_BY_CODE = {
    "error_method_not_found": "метода на портале нет: обновите модуль портала",
    "wrong_license": "это не входит в тариф портала",
    "wrong_auth_type": "это доступно только приложению, не вебхуку",
    "allowed_only_intranet_user": "владелец вебхука должен быть сотрудником, а не внешним пользователем",
    "method_confirm_waiting": "администратор портала должен разрешить этот метод",
    "method_confirm_denied": "администратор портала запретил этот метод: попросите разрешить",
}


def remedy_of(error: PortalError) -> str:
    """By the kind of the error first, by its code where the kind says too little."""
    if isinstance(error, ShutOut):
        return error.remedy
    if isinstance(error, RetryLater):
        return AGAIN
    if isinstance(error, Misconfigured):
        scope = f"отметьте право {scope_of(error.method)} в настройке вебхука"
        return _BY_CODE.get(error.code.lower(), scope)
    return RIGHTS


def unchecked(what: str, error: PortalError) -> Line:
    """Something that the portal would not tell: no better than a thing that is wrong."""
    return Line("FAIL", f"{what}: не проверено: {error}", remedy_of(error))
