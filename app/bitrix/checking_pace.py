"""What `check` says of the limits: which hold, what is left of them, whether others use our address."""

from __future__ import annotations

from collections.abc import Iterable

from app.bitrix.budget import Pacing
from app.bitrix.limits import ALLOWED, CAUTIOUS
from app.bitrix.results import Line


def lines(pacing: Pacing) -> Iterable[Line]:
    """Measured by this process, and by the running service where it lent us a part of its budget."""
    yield _tariff(pacing)
    if not pacing.tariff.burst:
        return
    yield _neighbours(pacing)
    yield _operating(pacing)


def _tariff(pacing: Pacing) -> Line:
    how = "задан в [pace]" if pacing.by_rules else "определён по ответам портала"
    if not pacing.tariff.burst:
        return Line("OK", f"частота запросов: портал её не ограничивает ({how})")
    tariff, burst, drain = pacing.tariff, pacing.tariff.burst, pacing.tariff.drain
    ours = f"{burst * pacing.share:.0f} сразу и {drain * pacing.share:.1f} в секунду".replace(".", ",")
    allowed = f"{burst} запросов сразу и {drain:.0f} в секунду"
    text = f"частота запросов: тариф {tariff.name} ({how}), {allowed}; доля службы {pacing.share:.0%}: {ours}"
    if pacing.mistaken:
        return Line(
            "WARN", f"{text}; портал отказывал чаще, чем велит [pace] tariff", "исправьте [pace] tariff"
        )
    return Line("OK", text)


def _neighbours(pacing: Pacing) -> Line:
    if pacing.crowded:
        remedy = "служба на время уступила; если так часто, уменьшите [pace] share или разведите адреса"
        return Line("WARN", "с этого адреса к порталу обращается кто-то ещё: портал отказывал", remedy)
    return Line("OK", "с этого адреса порталу никто не мешает: отказов по частоте не было")


def _operating(pacing: Pacing) -> Line:
    method, used = pacing.busiest
    limit = f"{ALLOWED.total_seconds():.0f} с за десять минут"
    if not method or not used:
        return Line("OK", f"время методов: свободно ({limit} на метод)")
    text = f"время методов: занятее всех {method}, {used:.0%} из {limit}"
    if used >= CAUTIOUS:
        return Line("WARN", text, "служба даёт методу отдохнуть; посмотрите, кто ещё его вызывает")
    return Line("OK", text)
