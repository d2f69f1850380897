"""`cmek doctor`: whether the deployed role and key are what the file says, and what to do."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Final, Literal

import typer

from cmek_construct.aws import reading
from cmek_construct.aws.objects import Stack, Unread
from cmek_construct.aws.session import Asking, AwsError, Session, read
from cmek_construct.commands.looking import entries_here, is_known, locked, look, refuse_unknown, side_by_side
from cmek_construct.commands.options import AS_JSON, ONE_OR_ALL, PROFILE, flag
from cmek_construct.commands.printing import advice, marked, refusals, shown, text, told
from cmek_construct.commands.project import Indexes, indexes
from cmek_construct.deployment.reading import Entry
from cmek_construct.guide import policy_document
from cmek_construct.health import doctor as health
from cmek_construct.health.deployed import Deployed, LockedIdentity, about_stack
from cmek_construct.health.doctor import HEALTHY, UNREAD, WRONG, Examined
from cmek_construct.health.findings import Effect, Finding, Refused, Verdict
from cmek_construct.lock.text import LockError
from cmek_construct.policy.statements import Kind
from cmek_construct.templates.stacks import ALIAS

_BY_HARM: Final = (*Effect, None)


@told()
def doctor(
    name: str | None = ONE_OR_ALL,
    asking: Asking = PROFILE,
    as_json: bool = AS_JSON,
    show: Literal["trust-policy", "key-policy"] | None = typer.Option(None),
    cloudtrail: bool = flag("--cloudtrail/--no-cloudtrail", default=True),
    organization: bool = flag("--organization"),
) -> Iterator[str]:
    """Say whether the deployed role and key are what the file says.

    Changes nothing. For each thing that is wrong: what it means for the data, how long there is, and what to run. With
    a project's API key in PINECONE_API_KEY and one stack: also whether the project's indexes are under this key.
    """
    entries = entries_here(name)
    if show is not None:
        typer.echo(_policy(entries, "key" if show == "key-policy" else "trust", asking))
        return
    of_project = indexes() if len(entries) == 1 else None
    found = side_by_side(partial(_examined, asking, cloudtrail, organization, of_project), entries)
    yield from shown(as_json, lambda: [one.as_data() for one in found], _screen(found))
    codes = {one.code for one in found}
    raise typer.Exit(WRONG if WRONG in codes else max(codes, default=UNREAD))


def _examined(asking: Asking, cloudtrail: bool, organization: bool, of_project: Indexes, entry: Entry) -> Examined:
    """Look at one stack, and change nothing."""
    lock, of_lock = LockedIdentity(), list[Finding]()
    try:
        lock = locked(entry)
    except LockError as error:
        of_lock = [health.ROWS.finding("lock", error=error)]
    try:
        case, session = look(entry, asking, lock)
    except AwsError as error:
        no_aws = health.ROWS.finding("aws", error=error, advice=advice(error, asking))
        return Examined(Deployed.of(entry, lock), [*of_lock, no_aws])
    found = [about_stack(case, of_lock[0].cure if of_lock else None), *of_lock]
    if not is_known(case):
        return Examined(case, [*found, health.ROWS.finding("role-and-key", case=case)])
    case = _with_all(session, case, last_use=cloudtrail)
    found += health.diagnosis(case, partial(reading.read_event, session))
    if of_project is not None and case.key_arn is not None:
        found += health.about_indexes(case, of_project)
    if organization:
        # With the profile's own credentials: no other account sees them.
        own = read("sts:GetCallerIdentity")(asking.own)(reading.IAM_REGION)
        controls = own if isinstance(own, Unread) else reading.read_controls(own, entry.account)
        found += health.about_controls(case, controls)
    if cloudtrail:
        found = [health.with_culprit(case, one, partial(reading.read_calls, session)) for one in found]
    return Examined(case, found)


def _with_all(session: Session, case: Deployed, *, last_use: bool) -> Deployed:
    """The case with all that AWS shows of its stack, role and key."""
    template = reading.read_template(session, case.name) if isinstance(case.stack, Stack) else ""
    case = replace(case, role=reading.read_role(session, case.role_arn), template=template)
    if case.key_arn is None:
        return case
    held = () if case.entry.key else reading.read_resources(session, case.name) or ()
    alias = held if isinstance(held, Unread) else next((one.physical_id for one in held if one.type == ALIAS), None)
    case = replace(case, key=reading.read_key(session, case.key_arn, last_use=last_use), alias=alias)
    if isinstance(wanted := case.alias_by_file, str):
        return replace(case, alias_target=reading.read_key_arn(session, wanted))
    return case


def _policy(entries: Sequence[Entry], kind: Kind, asking: Asking) -> str:
    if len(entries) != 1:
        raise typer.BadParameter("name one stack", param_hint="--show")
    (entry,) = entries
    case = Deployed.of(entry, LockedIdentity())
    if kind == "key" and (case.entry.customers is not None or case.entry.key is not None):
        raise Refused(f"{entry.name}: there is no such policy to show: the stack makes no key.")
    if kind == "key":
        with refusals(asking, entry.name):
            case, _ = look(entry, asking)
            if not case.role_arn:
                refuse_unknown(case)
    return json.dumps(policy_document(*case.wanted(kind, suspended=bool(case.entry.suspended))), indent=2)


def _screen(examined: Sequence[Examined]) -> Iterator[str]:
    """The lines: of one stack all, of several what is not right; first what is wrong, of that the worst."""
    verdicts = (Verdict.WRONG, Verdict.UNKNOWN, Verdict.SAID, Verdict.RIGHT)[: 4 if len(examined) == 1 else 2]
    for one in examined:
        counted = Counter(finding.effect for finding in one.findings if finding.verdict is Verdict.WRONG)
        effects = [(effect and effect.value, counted[effect]) for effect in _BY_HARM if effect in counted]
        found = [finding for finding in one.findings if finding.verdict in verdicts]
        found.sort(key=lambda one: (verdicts.index(one.verdict), _BY_HARM.index(one.effect)))
        is_brief = len(examined) > 1 and one.code == HEALTHY
        about = {"one": one, "is_brief": is_brief, "total": counted.total(), "effects": effects, "found": found}
        said = text("doctor.j2", "stack", marked=marked, **about)
        yield said if is_brief else f"{said}\n"
    if len(examined) > 1:
        yield f"{sum(one.code == HEALTHY for one in examined)} of {len(examined)} are healthy."
