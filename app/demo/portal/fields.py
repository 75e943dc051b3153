"""Fields of CRM items: names, types and the older names that the classic methods use for them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

DEAL, LEAD, CONTACT, COMPANY = 2, 1, 3, 4
NAMES = {LEAD: "LEAD", DEAL: "DEAL", CONTACT: "CONTACT", COMPANY: "COMPANY"}


@dataclass(frozen=True, slots=True)
class FieldInfo:
    """A system field. `empty`: what an unset one answers in crm.item.*; `classic`: its name in crm.deal.*."""

    name: str
    type: str
    classic: str | None
    empty: object = None
    read_only: bool = False
    multiple: bool = False

    @property
    def upper(self) -> str:
        return upper_name(self.name)


def upper_name(name: str) -> str:
    """`stageId` → `STAGE_ID`, `parentId1220` → `PARENT_ID_1220`."""
    spaced = re.sub(r"(?<=[a-z])(?=[A-Z0-9])", "_", name)
    return spaced.upper()


def _table(text: str) -> tuple[FieldInfo, ...]:
    """Rows `name type [flags] [=CLASSIC]`.

    Flags: r read-only, m multiple, 0 N Y e what an unset field answers (e: empty text), - not classic.
    """
    return tuple(_row(line.split()) for line in text.strip().splitlines())


def _row(words: list[str]) -> FieldInfo:
    name, kind, *rest = words
    flags = "".join(word for word in rest if not word.startswith("="))
    older = next((word[1:] for word in rest if word.startswith("=")), upper_name(name))
    empty: object = [] if "m" in flags else 0 if "0" in flags else None
    empty = next((letter for letter in "NY" if letter in flags), empty)
    empty = "" if "e" in flags else empty
    return FieldInfo(name, kind, None if "-" in flags else older, empty, "r" in flags, "m" in flags)


_DEAL = _table("""
id integer r
createdTime datetime r =DATE_CREATE
dateCreateShort string r-
updatedTime datetime r =DATE_MODIFY
dateModifyShort string r-
createdBy user r =CREATED_BY_ID
updatedBy user r =MODIFY_BY_ID
assignedById user
opened boolean N
leadId integer
companyId crm_company 0
contactId crm_contact 0
quoteId integer
title string
productId integer -
categoryId crm_category
stageId crm_status
stageSemanticId string r
isNew boolean rN
isRecurring boolean N
isReturnCustomer boolean rN
isRepeatedApproach boolean rN
closed boolean rN
typeId crm_status
opportunity double 0
isManualOpportunity boolean N
taxValue double 0
currencyId crm_currency
probability integer
comments text e
begindate date
begindateShort string r-
closedate date
closedateShort string r-
eventDate datetime -
eventDateShort string r-
eventId integer -
eventDescription string -
locationId integer
webformId integer -
sourceId crm_status e
sourceDescription text e
originatorId string
originId string
additionalInfo string
searchContent string r-
orderStage string -
movedBy user r =MOVED_BY_ID
movedTime datetime r
lastActivityBy user r
lastActivityTime datetime r
isWork boolean r-
isWon boolean r-
isLose boolean r-
receivedAmount double r-
lostAmount double r-
hasProducts boolean r-
utmSource string
utmMedium string
utmCampaign string
utmContent string
utmTerm string
observers user m-
contactIds crm_contact m-
""")

_LEAD = _table("""
id integer r
createdTime datetime r =DATE_CREATE
dateCreateShort string r-
updatedTime datetime r =DATE_MODIFY
dateModifyShort string r-
createdBy user r =CREATED_BY_ID
updatedBy user r =MODIFY_BY_ID
assignedById user
opened boolean N
companyId crm_company 0
contactId crm_contact 0
stageId crm_status =STATUS_ID
isConvert boolean r-
statusDescription text
stageSemanticId string r =STATUS_SEMANTIC_ID
productId integer -
opportunity double 0
currencyId crm_currency
sourceId crm_status e
sourceDescription text e
title string
name string
lastName string
secondName string
shortName string r-
companyTitle string
post string
address string
comments text e
webformId integer 0-
originatorId string
originId string
dateClosed datetime r
birthdate date
honorific crm_status
hasPhone boolean rN
hasEmail boolean rN
hasImol boolean rN
login string -
isReturnCustomer boolean rN
searchContent string r-
isManualOpportunity boolean N
movedBy user r =MOVED_BY_ID
movedTime datetime r
lastActivityBy user r
lastActivityTime datetime r
phoneMobile string r-e
phoneWork string r-e
phoneMailing string r-e
emailHome string r-e
emailWork string r-e
emailMailing string r-e
skype string r-
icq string r-
imol string r-e
email string r-e
phone string r-e
utmSource string
utmMedium string
utmCampaign string
utmContent string
utmTerm string
observers user m-
contactIds crm_contact m-
""")

_SMART = _table("""
id integer r
title string
xmlId string
createdTime datetime r
updatedTime datetime r
createdBy user r
updatedBy user r
assignedById user
opened boolean N
webformId integer
begindate date
closedate date
companyId crm_company 0
contactId crm_contact 0
contactIds crm_contact m
observers user m
categoryId crm_category
movedTime datetime r
movedBy user r
stageId crm_status
previousStageId crm_status r
sourceId crm_status e
sourceDescription text e
currencyId crm_currency
isManualOpportunity boolean N
opportunity double 0
taxValue double 0
mycompanyId crm_company
lastActivityBy user r
lastActivityTime datetime r
""")

_CONTACT = _table("""
id integer r
post string
comments text e
honorific crm_status
name string
secondName string
lastName string
photo file
leadId integer
typeId crm_status
sourceId crm_status
sourceDescription text
companyId crm_company
birthdate date
export boolean N
hasPhone boolean rN
hasEmail boolean rN
hasImol boolean rN
createdTime datetime r =DATE_CREATE
updatedTime datetime r =DATE_MODIFY
assignedById user
createdBy user r =CREATED_BY_ID
updatedBy user r =MODIFY_BY_ID
opened boolean N
originatorId string
originId string
originVersion string
faceId integer
lastActivityTime datetime r
address string
address2 string =ADDRESS_2
addressCity string
addressPostalCode string
addressRegion string
addressProvince string
addressCountry string
addressLocAddrId integer
utmSource string
utmMedium string
utmCampaign string
utmContent string
utmTerm string
lastActivityBy user r
""")

_COMPANY = _table("""
id integer r
typeId crm_status =COMPANY_TYPE
title string
logo file
leadId integer
hasPhone boolean rN
hasEmail boolean rN
hasImol boolean rN
assignedById user
createdBy user r =CREATED_BY_ID
updatedBy user r =MODIFY_BY_ID
bankingDetails string
industry crm_status
revenue double 0
currencyId crm_currency
employees crm_status
comments text e
createdTime datetime r =DATE_CREATE
updatedTime datetime r =DATE_MODIFY
opened boolean N
isMyCompany boolean N
originatorId string
originId string
originVersion string
address string
address2 string =ADDRESS_2
addressCity string
addressPostalCode string
addressRegion string
addressProvince string
addressCountry string
addressCountryCode string
addressLocAddrId integer
addressLegal string
regAddress string
regAddress2 string =REG_ADDRESS_2
regAddressCity string
regAddressPostalCode string
regAddressRegion string
regAddressProvince string
regAddressCountry string
regAddressCountryCode string
regAddressLocAddrId integer
utmSource string
utmMedium string
utmCampaign string
utmContent string
utmTerm string
lastActivityBy user r
lastActivityTime datetime r
lastCommunicationTime datetime r
""")

_TABLES = {DEAL: _DEAL, LEAD: _LEAD, CONTACT: _CONTACT, COMPANY: _COMPANY}


@cache
def system_fields(entity_type: int) -> Mapping[str, FieldInfo]:
    """System fields of a type by camelCase name, in the order of the samples."""
    return {info.name: info for info in _TABLES.get(entity_type, _SMART)}


@cache
def classic_names(entity_type: int) -> Mapping[str, str]:
    """Classic name → camelCase name."""
    return {info.classic: info.name for info in system_fields(entity_type).values() if info.classic}


def camel_uf(name: str) -> str:
    """The name crm.item.* gives a user field unless asked for the original (rest.md 4.3).

    A tail with a part of both letters and digits is kept whole: `UF_CRM_10_DIGIT10` → `ufCrm_10_DIGIT10`.
    """
    tail = name.removeprefix("UF_CRM_")
    parts = tail.split("_")
    if any(not part.isdigit() and not part.isalpha() for part in parts):
        return f"ufCrm_{tail}"
    if not parts[0].isdigit():
        return "ufCrm" + "".join(f"_{part}" if part.isdigit() else part.capitalize() for part in parts)
    if len(parts) == 1:
        return f"ufCrm_{tail}"
    rest = "".join(f"_{part}" if part.isdigit() else part.capitalize() for part in parts[1:])
    return f"ufCrm{parts[0]}{rest}"
