from __future__ import annotations

from pathlib import Path

import pytest

from app.rules import RulesFault, load_rules

YEAR = b'{"status": "decreed", "non_working": []}'
DECREED = b'{"years": {"%s": ' + YEAR + b', "%s": ' + YEAR + b"}}"
SOURCE = '[[source]]\nkind = "deal"\ncategory = 3\nstages = { "C3:NEW" = "new" }\n'


def faults(tmp_path: Path, text: str) -> dict[str, str]:
    path = tmp_path / "rules.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(RulesFault) as caught:
        load_rules(path)
    return {fault.path: fault.problem for fault in caught.value.faults}


def said(tmp_path: Path, text: str, source: str = SOURCE) -> dict[str, str]:
    return faults(tmp_path, text + source)


@pytest.mark.parametrize(
    ("text", "path", "problem"),
    [
        ('[desk]\nname = ""', "desk.name", "«»: нужна непустая строка"),
        ('[desk]\ntimezone = "Europe/Moskow"', "desk.timezone", "возможно, вы имели в виду «Europe/Moscow»"),
        ('[desk]\ntimezone = "MSK"', "desk.timezone", "«MSK»: такого часового пояса нет, нужно вроде"),
        ('[desk]\nlanguage = "de"', "desk.language", "«de»: такого языка нет; есть ru, en"),
        ('[desk]\ncalendar = "ofice"', "desk.calendar", "возможно, вы имели в виду «office»"),
        ('[desk]\nsince = "вчера"', "desk.since", "«вчера»: нужна дата вроде «2026-12-01»"),
        ('[desk]\nsince = "0001-01-01"', "desk.since", "«0001-01-01»: годы с 2000 по 2100"),
        ('[desk]\nsince = "9999-12-31T23:00-05:00"', "desk.since", "годы с 2000 по 2100"),
        ('[calendar.office]\nclosed = ["0001-01-01"]', "calendar.office.closed[1]", "годы с 2000 по 2100"),
        ('[desk]\ntimeline = "all"', "desk.timeline", "есть decisions, off"),
        ("desk = 5", "desk", "«5»: нужен раздел"),
        ('[class.standard]\nresolve = "0h"', "class.standard.resolve", "«0h»: срок должен быть больше нуля"),
        ('[class.standard]\nresolve = "-4h"', "class.standard.resolve", "«-4h»: нужно время вроде «15m»"),
        ('[class.standard]\nresolve = "1.5h"', "class.standard.resolve", "нужно время вроде"),
        ('[class.standard]\nresolve = "9999999h"', "class.standard.resolve", "нужно время вроде"),
        ("[class.standard]\nrespond = 4", "class.standard.respond", "«4»: нужно время вроде"),
        ('[class.standard]\nrespnd = "4h"', "class.standard.respnd", "возможно, вы имели в виду «respond»"),
        ('[class.standard]\ncalendar = "x"', "class.standard.calendar", "такого календаря нет; есть"),
        ('[class.standard]\nannounce = "да"', "class.standard.announce", "нужно true или false"),
        ("[class.standard]\ntarget = 95", "class.standard.target", "«95»: нужна доля"),
        ("[class.standard]\ntarget = 0", "class.standard.target", "нужна доля"),
        ("[class.standard]\nwarn_respond = [1.0]", "class.standard.warn_respond[1]", "меньше 1"),
        ("[class.standard]\nwarn_resolve = [0.5, 0]", "class.standard.warn_resolve[2]", "больше 0"),
        ("[class.standard]\nwarn_resolve = [nan]", "class.standard.warn_resolve[1]", "нужна доля"),
        ("[class.standard]\nwarn_resolve = [true]", "class.standard.warn_resolve[1]", "true: нужна доля"),
        ("[class.standard]\nwarn_resolve = 0.9", "class.standard.warn_resolve", "нужен список"),
        ('[class.urgent]\nresolve = "1h"', "class.urgent", "есть emergency, standard, consultation"),
        ('[people]\nhead = "Иванова"', "people.head", "«Иванова»: нужен номер сотрудника"),
        ("[people]\nhead = true", "people.head", "true: нужен номер"),
        ("[people]\nleads = [7, -1]", "people.leads[2]", "нужен номер"),
        ('[chats]\nalerts = "чат поддержки"', "chats.alerts", "«chat12»"),
        ('[closing]\nremind = "18h"', "closing.remind", "меньше, чем close_after"),
        ('[alerts]\nrepeat_breach = { emergncy = "1h" }', "alerts.repeat_breach.emergncy", "«emergency»"),
        ('[digest]\ndaily = "25:00"', "digest.daily", "нужно время вроде «09:05»"),
        ('[digest]\nweekly = "понедельник 09:30"', "digest.weekly", "вроде «mon 09:30»"),
        ('[digest]\nmonthly = "1 10:00"', "digest.monthly", "first-workday"),
        ('[pace]\nwatch = "0s"', "pace.watch", "больше нуля"),
        ('[pace]\npoll = "sometimes"', "pace.poll", "нужно «auto», «off» или время"),
        ('[pace]\ntariff = "standart"', "pace.tariff", "возможно, вы имели в виду «standard»"),
        ("[pace]\nshare = 0.01", "pace.share", "от 0.05 до 1"),
        ('[fields]\nSLA_CLAS = "UF_X"', "fields.SLA_CLAS", "возможно, вы имели в виду «SLA_CLASS»"),
        ("[fields]\nSLA_AREA = 5", "fields.SLA_AREA", "нужна непустая строка"),
        ("[polices]\nx = 1", "polices", "возможно, вы имели в виду «policy»"),
        ('["строка с пробелом"]\nx = 1', '"строка с пробелом"', "такого ключа нет"),
    ],
)
def test_a_fault_names_its_key_what_was_found_and_what_was_expected(
    tmp_path: Path, text: str, path: str, problem: str
) -> None:
    told = said(tmp_path, text + "\n")
    assert list(told) == [path]
    assert problem in told[path]


@pytest.mark.parametrize(
    ("text", "path", "problem"),
    [
        ('hours = { mon = ["09:00-18:00", "17:00-20:00"] }', "hours.mon", "пересекаются"),
        ('hours = { mon = ["9-18"] }', "hours.mon", "нужно вроде «09:00-18:00»"),
        ('hours = { mon = ["24:00-25:00"] }', "hours.mon", "часы"),
        ('hours = { mon = ["09:00-09:00"] }', "hours.mon", "пустой промежуток"),
        ('hours = { mon = "09:00-18:00" }', "hours.mon", "нужен список"),
        ("hours = { mon = [9] }", "hours.mon[1]", "«9»: нужна"),
        ('hours = { mon = ["22:00-06:00"], tue = ["05:00-12:00"] }', "hours.tue", "ночные часы mon"),
        ('hours = { sun = ["22:00-06:00"], mon = ["05:00-12:00"] }', "hours.mon", "ночные часы sun"),
        (
            'open = { 2026-12-19 = ["22:00-06:00"], 2026-12-20 = ["05:00-09:00"] }',
            "open.2026-12-20",
            "пересекается с ночными часами",
        ),
        ("hours = { mon = [] }", "hours", "никогда не открыто"),
        ("hours = {}", "hours", "никогда не открыто"),
        ('hours = "24/7"', "hours", '«24/7»: нужно "24x7"'),
        ('closed = ["2026-02-30"]', "closed[1]", "такой даты в календаре нет"),
        ('closed = ["31.12.2026"]', "closed[1]", "нужна дата вроде"),
        ("closed = [2026-11-24T10:00:00]", "closed[1]", "нужна дата вроде"),
        ('open = { "19 декабря" = [] }', 'open."19 декабря"', "нужна дата вроде"),
        ('open = { 2026-12-19 = ["с утра"] }', "open.2026-12-19", "нужно вроде «09:00-18:00»"),
        ("open = { 2026-12-19 = [] }\nclosed = [2026-12-19]", "open.2026-12-19", "оставьте одно"),
        ('production_calendar = "KZ"', "production_calendar", "такого файла нет"),
        ("production_calendar = 5", "production_calendar", "нужно «RU» или путь"),
        ('timezone = "Moscow"', "timezone", "часового пояса нет"),
        ('hour = "24x7"', "hour", "возможно, вы имели в виду «hours»"),
    ],
)
def test_a_calendar_tells_what_is_wrong_with_it(tmp_path: Path, text: str, path: str, problem: str) -> None:
    told = said(tmp_path, f"[calendar.office]\n{text}\n")
    assert problem in told[f"calendar.office.{path}"]


def test_a_broken_calendar_is_told_once(tmp_path: Path) -> None:
    told = said(tmp_path, "[calendar.office]\nhours = { mon = [] }\n")
    assert list(told) == ["calendar.office.hours"]


def test_a_day_that_there_is_not_is_told_its_neighbour(tmp_path: Path) -> None:
    told = said(tmp_path, '[calendar.office]\nhours = { tu = ["09:00-18:00"], fri = ["09:00-18:00"] }\n')
    assert "«tue»" in told["calendar.office.hours.tu"]


def test_a_new_calendar_needs_hours(tmp_path: Path) -> None:
    assert "не задано" in said(tmp_path, "[calendar.night]\n")["calendar.night.hours"]


def test_around_the_clock_and_holidays_exclude_each_other(tmp_path: Path) -> None:
    text = '[calendar.always]\nhours = "24x7"\nproduction_calendar = "RU"\n'
    assert "уберите" in said(tmp_path, text)["calendar.always.production_calendar"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"{", "не JSON"),
        (b"[]", "нужен JSON вида"),
        (b"\xff", "не JSON"),
        (b"{}", "years"),
        (DECREED % (b"2026", b"2028"), "нет утверждённого 2027 года между соседними"),
    ],
)
def test_a_file_that_is_no_production_calendar_is_refused(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    (tmp_path / "days.json").write_bytes(content)
    told = said(tmp_path, '[calendar.office]\nproduction_calendar = "days.json"\n')
    assert problem in told["calendar.office.production_calendar"]


# --- sources -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("source", "path", "problem"),
    [
        (
            'kind = "lead"\nstages = { NEW = "new" }',
            "source[1].kind",
            "такого вида нет; есть deal, item, task",
        ),
        ('stages = { NEW = "new" }', "source[1].kind", "не задано: нужно одно из: deal, item, task"),
        ('kind = "deal"', "source[1].stages", "не задано"),
        (
            'kind = "deal"\nstages = { NEW = "nwe" }',
            "source[1].stages.NEW",
            "возможно, вы имели в виду «new»",
        ),
        ('kind = "deal"\nstages = { NEW = "left" }', "source[1].stages.NEW", "такого состояния нет"),
        ('kind = "deal"\ncategory = "3"\nstages = { NEW = "new" }', "source[1].category", "целое число"),
        (
            'kind = "deal"\ncategory = 3\nstages = { "C5:NEW" = "new" }',
            'source[1].stages."C5:NEW"',
            "«C3:NEW»",
        ),
        ('kind = "deal"\ncategory = 0\nstages = { "C5:NEW" = "new" }', 'source[1].stages."C5:NEW"', "«NEW»"),
        ('kind = "deal"\ngroup = 5\nstages = { NEW = "new" }', "source[1].group", "такого ключа нет"),
        ('kind = "item"\nstages = { "DT7_1:NEW" = "new" }', "source[1].entity_type", "не задано"),
        ('kind = "item"\nentity_type = 177\nstages = { NEW = "new" }', "source[1].stages.NEW", "«DT177_…»"),
        ('kind = "task"\nstages = { 7 = "new" }', "source[1].stages.7", "статус «2»…«6»"),
        ('kind = "task"\ncategory = 7\nstages = { 2 = "new" }', "source[1].category", "такого ключа нет"),
        ('kind = "deal"\nstages = { A = "new" }\nread = { txt = [] }', "source[1].read.txt", "«text»"),
    ],
)
def test_a_source_tells_what_is_wrong_with_it(tmp_path: Path, source: str, path: str, problem: str) -> None:
    assert problem in said(tmp_path, "", f"[[source]]\n{source}\n")[path]


def test_rules_without_a_source_are_refused(tmp_path: Path) -> None:
    assert "[[source]]" in faults(tmp_path, "")["source"]


def test_a_source_that_is_never_reached_is_refused(tmp_path: Path) -> None:
    every_funnel = '[[source]]\nkind = "deal"\nstages = { NEW = "new" }\n'
    assert "source[1]" in faults(tmp_path, every_funnel + SOURCE)["source[2]"]


# --- policies ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("policy", "path", "problem"),
    [
        ('when = { class = ["standart"] }\nset = { resolve = "8h" }', "when.class[1]", "«standard»"),
        ('when = { class = ["not_ticket"] }\nset = { resolve = "8h" }', "when.class[1]", "такого класса нет"),
        ('when = { company = [] }\nset = { resolve = "8h" }', "when.company", "не сработает никогда"),
        (
            'when = { company = ["Ромашка"] }\nset = { sla = false }',
            "when.company[1]",
            "нужен номер из карточки",
        ),
        ("when = { company = [0] }\nset = { sla = false }", "when.company[1]", "нужен номер из карточки"),
        ("when = { company = [-5] }\nset = { sla = false }", "when.company[1]", "нужен номер из карточки"),
        ("when = { contact = [] }\nset = { sla = false }", "when.contact", "не сработает никогда"),
        ("when = { class = [] }\nset = { sla = false }", "when.class", "не сработает никогда"),
        ("when = { object = [] }\nset = { sla = false }", "when.object", "не сработает никогда"),
        (
            "when = { field = { UF_X = [] } }\nset = { sla = false }",
            "when.field.UF_X",
            "не сработает никогда",
        ),
        ('when = { company = [1] }\nset = { resolve = "0h" }', "set.resolve", "больше нуля"),
        ('when = { company = [1] }\nset = { respond = "-4h" }', "set.respond", "нужно время"),
        ('when = { company = [1] }\nset = { resolve = "999999h" }', "set.resolve", "не бывает"),
        ('when = { field = {} }\nset = { resolve = "8h" }', "when.field", "не сработает никогда"),
        ('when = { compny = [1] }\nset = { resolve = "8h" }', "when.compny", "«company»"),
        ('set = { resolve = "8h" }', "when", "хотя бы одно условие"),
        ("when = { company = [1] }", "set", "хотя бы одно из"),
        ('when = { company = [1] }\nset = { resolve = "8d" }', "set.resolve", "нужно время"),
        ('when = { company = [1] }\nset = { calendar = "always2" }', "set.calendar", "«always»"),
        ('when = { company = [1] }\nset = { resolve = "8h", sla = false }', "set.sla", "лишнее"),
        ("when = 5\nset = 6", "when", "нужен раздел"),
    ],
)
def test_a_policy_tells_what_is_wrong_with_it(tmp_path: Path, policy: str, path: str, problem: str) -> None:
    assert problem in said(tmp_path, f"[[policy]]\n{policy}\n")[f"policy[1].{path}"]


@pytest.mark.parametrize(
    ("earlier", "later", "reached"),
    [
        ("company = [1, 2]", "company = [2]", False),
        ("company = [2]", "company = [1, 2]", True),
        ("company = [1]", 'company = [1], class = ["standard"]', False),
        ('company = [1], class = ["standard"]', "company = [1]", True),
        ('class = ["standard", "emergency", "consultation"]', "company = [1]", False),
        ("field = { UF_X = 1 }", "field = { UF_X = 1, UF_Y = 2 }", False),
        ("field = { UF_X = 1 }", "field = { UF_Y = 2 }", True),
        ("object = 'А'", "object = 'а'", False),
    ],
)
def test_a_policy_that_is_never_reached_is_refused(
    tmp_path: Path, earlier: str, later: str, reached: bool
) -> None:
    text = "".join(
        f'[[policy]]\nwhen = {{ {when} }}\nset = {{ resolve = "8h" }}\n' for when in (earlier, later)
    )
    path = tmp_path / "rules.toml"
    path.write_text(text + SOURCE, encoding="utf-8")
    if reached:
        load_rules(path)
    else:
        assert "policy[1]" in faults(tmp_path, text + SOURCE)["policy[2].when"]


@pytest.mark.parametrize(
    ("earlier", "last", "takers"),
    [
        (['class = ["standard"]', 'class = ["emergency"]'], 'class = ["emergency", "standard"]', [1, 2]),
        (["company = [1]", "contact = [5]", "company = [2]"], "company = [1, 2]", [1, 3]),
        (
            ['class = ["standard"], company = [1]', 'class = ["emergency", "consultation"]'],
            "company = [1]",
            [1, 2],
        ),
        (["company = [1], contact = [5]", "contact = [6]"], "company = [1], contact = [5, 6]", [1, 2]),
        (["field = { UF_X = 1 }", "field = { UF_X = 2 }"], "field = { UF_X = [1, 2], UF_Y = 3 }", [1, 2]),
        (["company = [1]", "company = [2]"], "company = [1, 2, 3]", []),
        (["company = [1]", 'class = ["standard"]'], 'class = ["standard", "emergency"]', []),
        (
            ["company = [1], contact = [5]", "company = [2], contact = [6]"],
            "company = [1, 2], contact = [5, 6]",
            [],
        ),
    ],
)
def test_policies_may_leave_nothing_to_a_later_one_together(
    tmp_path: Path, earlier: list[str], last: str, takers: list[int]
) -> None:
    text = "".join(f"[[policy]]\nwhen = {{ {when} }}\nset = {{ sla = false }}\n" for when in (*earlier, last))
    path = tmp_path / "rules.toml"
    path.write_text(text + SOURCE, encoding="utf-8")
    if not takers:
        load_rules(path)
        return
    told = faults(tmp_path, text + SOURCE)
    assert list(told) == [f"policy[{len(earlier) + 1}].when"]
    assert told[f"policy[{len(earlier) + 1}].when"].endswith(", ".join(f"policy[{each}]" for each in takers))


# --- terms that never end ----------------------------------------------------------------

BRIEF = '[calendar.brief]\nhours = { sat = ["10:00-10:01"] }\n'


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ('[class.standard]\ncalendar = "brief"\nresolve = "60h"', "class.standard.resolve"),
        ('[class.standard]\nrespond = "999999h"', "class.standard.respond"),
        ('[class.standard]\nprogress = "999999h"', "class.standard.progress"),
        ('[ola]\nhead = "999999h"', "ola.head"),
        ('[alerts]\ndirector_after = "999999h"', "alerts.director_after"),
        ('[alerts.unassigned]\nother = "999999h"', "alerts.unassigned.other"),
        ('[closing]\nclose_after = "999999h"', "closing.close_after"),
    ],
)
def test_a_term_that_the_calendar_never_ends_is_refused(tmp_path: Path, text: str, path: str) -> None:
    told = said(tmp_path, f"{BRIEF}{text}\n")
    assert list(told) == [path]
    assert "столько рабочих часов не бывает" in told[path]


def test_a_policy_may_not_move_a_term_to_a_calendar_that_never_ends_it(tmp_path: Path) -> None:
    text = BRIEF + '[[policy]]\nwhen = { company = [1] }\nset = { calendar = "brief", resolve = "60h" }\n'
    assert list(said(tmp_path, text)) == ["policy[1].set.calendar"]


# --- the whole file ----------------------------------------------------------------------


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = '[desk]\nlanguage = "de"\nnam = "x"\n[people]\nhead = "x"\n[ola]\nhead = "0h"\n'
    assert set(said(tmp_path, text)) == {"desk.language", "desk.nam", "people.head", "ola.head"}


def test_bad_hours_terms_and_policies_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "days.json").write_bytes(DECREED % (b"2026", b"2028"))
    text = """
        [calendar.empty]
        hours = {}
        [calendar.twice]
        hours = { mon = ["09:00-13:00", "12:00-18:00"] }
        [calendar.nowhere]
        timezone = "Europe/Moskva"
        hours = "24x7"
        [calendar.gap]
        production_calendar = "days.json"
        hours = { mon = ["09:00-18:00"] }
        [class.standard]
        respond = "0m"
        resolve = "-4h"
        [[policy]]
        when = { company = [12] }
        set = { resolve = "8h" }
        [[policy]]
        when = { company = [12], class = ["urgent"] }
        set = { resolve = "4h" }
        [[policy]]
        when = { contact = [] }
        set = { sla = false }
    """
    assert set(said(tmp_path, text)) == {
        "calendar.empty.hours",
        "calendar.twice.hours.mon",
        "calendar.nowhere.timezone",
        "calendar.gap.production_calendar",
        "class.standard.respond",
        "class.standard.resolve",
        "policy[2].when.class[1]",
        "policy[2].when",
        "policy[3].when.contact",
    }


def test_the_fault_reads_as_a_list(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text('[ola]\nhead = "0h"\n' + SOURCE, encoding="utf-8")
    with pytest.raises(RulesFault, match=r"Правила не приняты:\n  ola\.head: «0h»: срок"):
        load_rules(path)


@pytest.mark.parametrize(
    ("text", "path", "problem"),
    [
        ("[desk]\nC3:NEW = 1\n", "строка 2, знак 3", "a key/value pair): C3:NEW = 1"),
        ('[desk]\nname = "x\n', "строка 2, знак 10", "не закрыта кавычка (Illegal character '\\n'): name ="),
        ("[desk]\n\n[desk]\n", "строка 3, знак 6", "уже есть выше (Cannot declare ('desk',) twice): [desk]"),
        ("x = 1\nx = 2\n[y]", "строка 2, знак 6", "уже задан выше"),
        ("[ola]\nhead = 1h\n", "строка 2, знак 9", "after a statement): head = 1h"),
        ("[ola]\nhead = ", "конец файла", "значение не понято"),
        ("[desk\n", "строка 1, знак 6", "«]]» (Expected ']' at the end of a table declaration): [desk"),
        ("[desk\n", "строка 1, знак 6", "заголовок раздела не закрыт: нужна «]»"),
        ("[[source]\n", "строка 1, знак 9", "«]]» (Expected ']]' at the end of an array declaration)"),
        ('x = "a\\d"\n', "строка 1, знак 9", "пишут дважды"),
        ("x = {a = 1, a = 2}\n", "строка 1, знак 18", "уже задан (Duplicate inline table key 'a')"),
        ("x = 0xZZ\n", "строка 1, знак 6", "новой строки (Expected newline"),
    ],
)
def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path, text: str, path: str, problem: str) -> None:
    assert problem in faults(tmp_path, text)[path]


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(RulesFault, match="такого файла нет"):
        load_rules(tmp_path / "no.toml")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(RulesFault, match="не читается"):
        load_rules(tmp_path)


def test_another_encoding_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes("# правила".encode("cp1251"))
    with pytest.raises(RulesFault, match="UTF-8"):
        load_rules(path)
