"""The command line: `b24sla …`, also `python -m app` (contract.md 1).

Status 0 done, 1 failed, 2 wrong use. A user's mistake is one sentence, never a traceback. What a command
needs is imported by it alone: everything together takes a second.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Coroutine
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError
from typer.core import TyperCommand
from uvicorn.loops.auto import auto_loop_factory

from app import logs
from app.bitrix.errors import Misconfigured, PortalError, ShutOut
from app.clock import YEARS, parse_clock
from app.commands import output
from app.commands.arguments import AS_KNOWN, SENT, date_of, moment_of, ref_of
from app.commands.speech import Mistake
from app.metrics.periods import PeriodKind
from app.rules import RulesFault
from app.settings import NotAllowed, Settings, SettingsFault
from app.store.engine import DatabaseUrlFault, StoreUnavailable
from app.store.migrate import NewerDatabase

app = typer.Typer(
    name="b24sla",
    help="Сроки и показатели поддержки в Битрикс24.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
    rich_markup_mode=None,
)


class RoleName(StrEnum):
    """What a process does."""

    ALL = "all"
    WEB = "web"
    WORKER = "worker"


class FailedVerb(StrEnum):
    """What to do with work that gave up."""

    LIST = "list"
    RETRY = "retry"
    DROP = "drop"


MOST_DAYS = 366 * len(YEARS)

AsJson = Annotated[bool, typer.Option("--json", help="Ответ в виде JSON.")]


@app.command("serve")
def serve_command(
    role: Annotated[
        RoleName, typer.Option(help="all: всё; web: только приём и страницы; worker: только работа.")
    ] = RoleName.ALL,
    clock: Annotated[
        str,
        typer.Option(
            help="Часы для учебного портала: 2026-11-24T08:55+03:00@60x.", metavar="МОМЕНТ@СКОРОСТЬx"
        ),
    ] = "",
) -> None:
    """Принимать события и вести сроки, пока не остановят."""
    from app.serving import serve

    settings = _settings()
    try:
        chosen = parse_clock(clock) if clock else None
    except ValueError as fault:
        raise typer.BadParameter(str(fault), param_hint="--clock") from None
    logs.configure(settings.log_level, settings.log_format)
    _run(serve(settings, role=role.value, clock=chosen))


@app.command()
def demo(
    once: Annotated[bool, typer.Option("--once", help="Показать день и закончить.")] = False,
    out: Annotated[Path, typer.Option(help="Куда положить сводку и картинку.", metavar="ПАПКА")] = Path(
        "demo-out"
    ),
) -> None:
    """Показать день поддержки на учебном портале."""
    from app.demo.run import demo as play  # heavy, and needed by nobody else

    logs.configure("error", "console")
    _run(play(out, once=once))


@app.command()
def check(
    as_json: AsJson = False,
    record: Annotated[
        Path | None,
        typer.Option(help="Записать структуру ответов портала: ключи и типы, без значений.", metavar="ФАЙЛ"),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Сравнить ответы портала с такой записью.", metavar="ФАЙЛ")
    ] = None,
) -> None:
    """Проверить связь с порталом.

    Доступ, права, поля, стадии и чаты: строка на каждое и что исправить.
    """
    from app.commands import preparing

    _quiet()
    _finish(_run(preparing.check(_settings(), as_json=as_json, record=record, compare=compare)))


@app.command()
def provision(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Только сказать, что было бы сделано.")] = False,
    layout: Annotated[bool, typer.Option("--layout", help="Собрать поля в раздел «SLA» карточки.")] = False,
) -> None:
    """Создать или обновить поля SLA в карточках.

    Повторный запуск ничего не портит.
    """
    from app.commands import preparing

    _quiet()
    _finish(_run(preparing.provision(_settings(), dry_run=dry_run, layout=layout)))


@app.command()
def reconcile() -> None:
    """Найти и обработать пропущенные изменения.

    То, о чём портал не сообщил событием. Работающая служба делает это сама.
    """
    from app.commands import reconciling

    _quiet()
    _finish(_run(reconciling.reconcile(_settings())))


class WithMoment(TyperCommand):
    """`--as-known` may stand without a moment: then it means the one at which the digest was sent."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """typer has no options whose value may be left out."""
        following = [*args[1:], "-"][: len(args)]
        bare = [arg == AS_KNOWN and after.startswith("-") for arg, after in zip(args, following, strict=True)]
        given = [f"{arg}={SENT}" if alone else arg for arg, alone in zip(args, bare, strict=True)]
        return super().parse_args(ctx, given)


@app.command(cls=WithMoment)
def digest(
    period: Annotated[PeriodKind, typer.Option(help="day, week или month.")] = PeriodKind.DAY,
    on: Annotated[str, typer.Option("--date", help="День внутри периода, 2026-11-24.", metavar="ДАТА")] = "",
    send: Annotated[bool, typer.Option("--send", help="Отправить в чат, даже если уже отправляли.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Папка для текста, картинки и таблицы.", metavar="ПАПКА")
    ] = None,
    as_known: Annotated[
        str,
        typer.Option(
            AS_KNOWN,
            help="Как было известно тогда: в этот момент (2026-11-25T09:05) или, без него, при отправке.",
            metavar="[МОМЕНТ]",
        ),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Сводка из базы за день, неделю или месяц.

    Что горит, что было, показатели против норм.
    """
    from app.commands import reporting

    _quiet()
    if as_known and send:
        raise typer.BadParameter("прошлую сводку не отправляют: уберите --send", param_hint=AS_KNOWN)
    if as_known:
        then = reporting.digest_as_known(
            _settings(), period, date_of(on), moment_of(as_known), out=out, as_json=as_json
        )
        _finish(_run(then))
        return
    _finish(_run(reporting.digest(_settings(), period, date_of(on), send=send, out=out, as_json=as_json)))


@app.command()
def explain(
    ref: Annotated[str, typer.Argument(help="deal:41, item:177:5 или task:17.", metavar="ОБРАЩЕНИЕ")],
    as_json: AsJson = False,
) -> None:
    """Почему такой класс и такие сроки.

    Каждый засчитанный и не засчитанный отрезок, паузы, сообщения.
    """
    from app.commands import explaining

    _quiet()
    _finish(_run(explaining.explain(_settings(), ref_of(ref), as_json=as_json)))


@app.command()
def failed(
    verb: Annotated[
        FailedVerb, typer.Argument(help="list, retry или drop.", metavar="ДЕЙСТВИЕ")
    ] = FailedVerb.LIST,
    key: Annotated[str, typer.Argument(help="Что именно; без него retry берёт всё.", metavar="КЛЮЧ")] = "",
    as_json: AsJson = False,
) -> None:
    """Работа, от которой служба отказалась."""
    from app.commands import failing

    _quiet()
    if verb is FailedVerb.DROP and not key:
        raise typer.BadParameter("назовите, что отбросить: ключ есть в b24sla failed", param_hint="КЛЮЧ")
    _finish(_run(failing.failed(_settings(), verb.value, key, as_json=as_json)))


@app.command()
def export(
    client: Annotated[
        str, typer.Option(help="Только этот клиент: contact:5 или company:7.", metavar="КЛИЕНТ")
    ] = "",
    out: Annotated[
        Path | None, typer.Option(help="Файл .jsonl, .json или .xlsx; без него на экран.", metavar="ФАЙЛ")
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Не скрывать телефоны и адреса (только вместе с --client).")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Выгрузить всё, что хранится об обращениях.

    Сроки, события, тексты и сообщения; телефоны и адреса скрыты.
    """
    from app.commands import exporting

    _quiet()
    _finish(_run(exporting.export(_settings(), client, out, full=full, as_json=as_json)))


@app.command()
def purge(
    before: Annotated[str, typer.Option(help="Завершённые до этого дня, 2026-11-24.", metavar="ДАТА")] = "",
    client: Annotated[
        str, typer.Option(help="Только этот клиент: contact:5 или company:7.", metavar="КЛИЕНТ")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Только сказать, сколько их.")] = False,
    as_json: AsJson = False,
) -> None:
    """Стереть тексты и имена в завершённых обращениях.

    Сроки, вердикты и показатели остаются.
    """
    from app.commands import purging

    _quiet()
    if not before and not client:
        raise typer.BadParameter("нужна дата (или --client): 2026-11-24", param_hint="--before")
    day = date_of(before, "--before")
    _finish(_run(purging.purge(_settings(), day, client, dry_run=dry_run, as_json=as_json)))


@app.command()
def simulate(
    rules: Annotated[Path, typer.Option(help="Файл других правил.", metavar="ФАЙЛ.toml")],
    days: Annotated[
        int,
        typer.Option(
            min=0, max=MOST_DAYS, help="Обращения за столько последних дней; 0 — все.", metavar="ДНЕЙ"
        ),
    ] = 90,
    out: Annotated[Path | None, typer.Option(help="Таблица.", metavar="ФАЙЛ.xlsx")] = None,
    picture: Annotated[Path | None, typer.Option(help="Картинка.", metavar="ФАЙЛ.png")] = None,
    as_json: AsJson = False,
) -> None:
    """Что было бы с прошлыми обращениями по другим правилам.

    Чей исход изменится, доля в срок, просрочки по часам и дням недели. Ничего не меняет.
    """
    from app.commands import simulating

    _quiet()
    _finish(_run(simulating.simulate(_settings(), rules, days, as_json=as_json, out=out, picture=picture)))


@app.command()
def backup(
    to: Annotated[Path | None, typer.Argument(help="Файл копии.", metavar="ФАЙЛ")] = None,
    restored: Annotated[
        bool, typer.Option("--restored", help="База восстановлена из копии другим средством (pg_restore).")
    ] = False,
) -> None:
    """Скопировать базу SQLite, не останавливая службу.

    Для PostgreSQL есть pg_dump; как восстановить, сказано в docs/restore.md.
    """
    from app.commands import backing_up

    _quiet()
    _finish(_run(backing_up.backup(_settings(), to, restored=restored)))


rules_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
app.add_typer(rules_app, name="rules", help="Сменить правила так, чтобы знать последствия.")

RulesFile = Annotated[Path, typer.Option("--rules", help="Файл новых правил.", metavar="ФАЙЛ.toml")]


@rules_app.command("preview")
def rules_preview(rules: RulesFile, as_json: AsJson = False) -> None:
    """Что изменится у открытых обращений.

    Какие сроки сдвинутся и на сколько, кто сразу окажется просрочен. Ничего не меняет.
    """
    from app.commands import ruling

    _quiet()
    _finish(_run(ruling.preview_rules(_settings(), rules, as_json=as_json)))


@rules_app.command("apply")
def rules_apply(
    rules: RulesFile,
    by: Annotated[str, typer.Option(help="Кто применяет: имя или номер сотрудника.", metavar="КТО")],
    to_open: Annotated[bool, typer.Option("--open", help="Применить и к открытым обращениям.")] = False,
) -> None:
    """Записать, кто и когда применил правила.

    Без --open меняются только новые обращения: когда службу перезапустят с этим файлом.
    """
    from app.commands import ruling

    _quiet()
    _finish(_run(ruling.apply_rules(_settings(), rules, by, to_open=to_open)))


# --- what every command shares -----------------------------------------------------------


def _settings() -> Settings:
    try:
        return Settings.read()
    except SettingsFault as fault:
        _fail(str(fault))


def _quiet() -> None:
    """Commands speak through their output; only faults are logged."""
    logs.configure("error", "console")


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    try:
        with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:  # uvicorn's choice: uvloop
            return runner.run(work)
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except Misconfigured as fault:
        _fail(f"портал отказал ({fault}): подробности скажет b24sla check")
    except ShutOut as fault:
        _fail(f"портал не пускает ({fault}): {fault.remedy}")
    except (
        NotAllowed,
        RulesFault,
        DatabaseUrlFault,
        NewerDatabase,
        PortalError,
        Mistake,
    ) as fault:
        _fail(str(fault))
    except StoreUnavailable as fault:
        _fail(fault.remedy)
    except OSError as fault:
        _fail_of(fault)
    except SQLAlchemyError as fault:
        _fail(f"база данных ответила ошибкой: {type(fault).__name__}")


def _finish(good: bool) -> None:
    if not good:
        raise typer.Exit(1)


def _fail(text: str) -> NoReturn:
    typer.echo(text, err=True)
    raise typer.Exit(1)


def _fail_of(fault: OSError) -> NoReturn:
    if not fault.filename:
        output.silence()
    if said := output.sentence(fault):
        _fail(said)
    raise typer.Exit(1)


def main() -> None:
    """The console script."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    try:
        app()
    finally:
        _flush()


def _flush() -> None:
    """Short answers are written only now."""
    try:
        sys.stdout.flush()
    except OSError as fault:
        output.silence()
        sys.stderr.write(f"{output.sentence(fault)}\n".lstrip("\n"))
        sys.exit(1)
