"""Judges what is Pinecone's in a run of templates, with what was acknowledged: the one way to a verdict."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import chain, takewhile
from pathlib import Path
from typing import Any, Final

from cmek_construct import warnings as ids
from cmek_construct.checks import printable
from cmek_construct.guardrails import kept, too_little, too_much
from cmek_construct.guardrails.rule import Violation, broken, key_uses, trusts_of
from cmek_construct.policy import CannotBeJudged
from cmek_construct.templates import Run, find
from cmek_construct.templates.files import MANIFEST
from cmek_construct.templates.found import Attached, Found, Naming, Now
from cmek_construct.templates.reading import by, each_of, members

REPORT: Final = "validation-report.json"  # the file of an assembly in which CDK says what the plugins found


def judge(found: Found) -> list[Violation]:
    """What the templates of a run say that they must not; each once, resource by resource."""
    same = by(_violations(found), lambda one: (one.rule, one.place))
    return [first for first, *_ in same.values()]


def _violations(found: Found) -> Iterator[Violation]:
    trusts = trusts_of(found)
    for trust in chain.from_iterable(trusts.values()):
        role, little = trust.now, too_little.of_trust(trust, found)
        yield from _judged(role, too_much.of_trust(trust, found), kept.of_role(role, found), little)
    for key, roles, arns in key_uses(found, trusts):
        little = too_little.of_key(key, roles, found)
        yield from _judged(key, too_much.of_key(key, arns, found), kept.of_key(key, found), little)
    for alias in found.aliases:
        yield from kept.of_alias(alias, found)
    for one in found.attached:
        yield from _judged(one, too_little.of_permission(one, found), too_much.of_permission(one, found))
    for naming in found.naming:
        yield from _judged(naming, too_much.of_naming(naming, found.ask))
    yield from too_much.of_outputs(found)
    for unread in found.unread:
        why = [f"{unread.why} {unread.way_out}"]
        yield broken("cannot-be-judged kind", unread.place, "unread", path=unread.place.path, why=why)


def _judged(of: Now | Attached | Naming, *checks: Iterator[Violation]) -> Iterator[Violation]:
    try:
        yield from chain(*checks)
    except CannotBeJudged as why:
        yield broken("cannot-be-judged kind", of.place, "not compared", witness=str(why), why=[str(why)])


def guarded(run: Run, vendors: Sequence[str], acknowledged: Mapping[str, str]) -> tuple[Found, list[Violation]]:
    """What is Pinecone's in a run, and what the guardrails have against it; acknowledged by who asks or in the app."""
    found = find(run, vendors=vendors)
    by_app = {}
    for _, report in _reports(run):
        for suppressed in map(members, each_of(report.get("suppressedViolations"))):
            for construct in map(members, each_of(suppressed.get("violatingConstructs"))):
                resource = members(construct.get("cloudFormationResource"))
                file = Path(str(resource.get("templatePath"))).name
                which = (str(suppressed.get("ruleName")), file, str(resource.get("logicalId")))
                by_app[which] = str(suppressed.get("reason"))
    violations = []
    for one in judge(found):
        path, logical_id, _ = one.reported
        reason = acknowledged.get(one.rule) or by_app.get((one.rule, path.name, logical_id)) or one.meant
        violations.append(one._replace(meant=reason))
    return found, violations


def refused_at_synth(run: Run, but: Collection[str] = (), so: str = "") -> Iterator[str]:
    """Which cloud assemblies were refused when they were made, for other rules than some; and what follows."""
    for folder, report in _reports(run):
        every = dict.fromkeys(str(members(one).get("ruleName")) for one in each_of(report.get("violations")))
        if rules := ", ".join(one for one in every if one.partition("[")[0] not in but):
            said = f"{printable(folder)}: its synth was refused ({printable(rules)}){so}."
            yield f"{said} Mend it, or unlock it, and run `npx cdk synth`."


def _reports(run: Run) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """What the guardrails said when an app was synthesized, by the folder of its cloud assembly."""
    folders: dict[Path, None] = {}
    for folder in (one.file.parent for one in run.templates):
        # Each stage has an assembly of its own in that of the app.
        folders |= dict.fromkeys([folder, *takewhile(lambda around: (around / MANIFEST).is_file(), folder.parents)])
    for folder in folders:
        try:
            report = members(json.loads((folder / REPORT).read_text(encoding="utf-8")))
        except (OSError, ValueError, RecursionError):
            continue
        every = map(members, each_of(report.get("pluginReports")))
        yield from ((folder, one) for one in every if one.get("pluginName") == ids.PLUGIN)
