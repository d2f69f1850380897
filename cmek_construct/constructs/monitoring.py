"""Tells people when role or key are touched: by the kinds of events of `events.ini`.

Source of the patterns: EventBridge user guide, "Comparison operators for use in event patterns".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import aws_cdk as cdk
from aws_cdk import aws_events, aws_sns, aws_sqs
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cmek_construct import checks
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.cmek import PineconeCmek
from cmek_construct.constructs.key import PineconeKey
from cmek_construct.constructs.role import CmekRole
from cmek_construct.constructs.vendor import CustomerKey, PineconeRole
from cmek_construct.rows import rows
from cmek_construct.warnings import notice

_KINDS: Final = rows(Path(__file__).with_name("events.ini"))
_HOME_OF_IAM: Final = "us-east-1"
"""Where CloudTrail delivers IAM's events. Source: IAM user guide, "Logging IAM and AWS STS API calls with AWS
CloudTrail"."""


class PineconeCmekMonitoring(Construct):
    """Sends a text to an SNS topic whenever Pinecone's role or key is touched.

    Key: disabled, enabled, deletion scheduled, cancelled or done; policy, grant, alias, rotation, tag, replica changed.
    Role: trust policy, permissions, boundary, session duration or tag changed; deleted, or made again. One rule of
    EventBridge each, free of charge; the text says who did what and when, what it means, and what to do. A call that
    failed is told too, where CloudTrail's entry names the key or the role: that of a denied call on a role may not.

    Nothing arrives without a CloudTrail trail that logs write management events in the key's Region (the end of a key
    excepted, which KMS tells itself), and for the role in us-east-1, and that does not exclude KMS: make one first,
    this construct makes none. A replica of a multi-Region key is another key, in another Region. Of a managed policy
    that was made elsewhere, the role's attachment is told and its versions are not. Sources: EventBridge user guide,
    "AWS service events delivered via AWS CloudTrail"; KMS developer guide, "Logging AWS KMS API calls with AWS
    CloudTrail", "Excluding AWS KMS events from a trail".

    IAM's events exist in us-east-1 alone. In another Region a stack is made there,
    ``pinecone-cmek-iam-events-<region>-<stack>``, one for an account and Region of an app or stage, named after the
    first stack that asks for it, with termination protection; it forwards every call that changes a role of the account
    to the default event bus here (about a dollar a million), where the rules look for the role. It is deployed before
    this stack, with the app's default synthesizer: us-east-1 must be bootstrapped too, unless the app does without.
    """

    rules: list[aws_events.Rule]
    """The rules: each takes further targets."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cmek: PineconeCmek | CustomerKey | PineconeKey | PineconeRole,
        topic: aws_sns.ITopic | aws_sns.Topic,
        watch_use: bool = False,
        iam_events_forwarded: bool = False,
        dead_letter_queue: aws_sqs.IQueue | None = None,
    ) -> None:
        """Make the rules.

        Args:
            scope: the construct in which they are made, in the account and Region of the key. Nothing of role, key or
                alias changes by it.
            construct_id: its id there.
            cmek: what is watched: a `PineconeCmek` (role and key), a `CustomerKey` or `PineconeKey` (the key), or a
                `PineconeRole` (the role). Aliases and managed policies that the app makes for them later are not known
                here.
            topic: a standard SNS topic in the same Region, to which people subscribe. Its policy lets EventBridge
                publish; of an imported topic a warning says the statement. If it is encrypted, its key policy needs
                ``kms:Decrypt`` and ``kms:GenerateDataKey*`` for ``events.amazonaws.com``, which CDK adds to a key of
                the app; ``alias/aws/sns`` cannot have it. Never encrypt it with the key that is watched. Source: SNS
                developer guide, "Enable compatibility between event sources from AWS services and encrypted topics".
            watch_use: True also tells of every use of the key by anyone but the role, and of every denied use. Of a
                role in another account no more is seen than the account, whose denied calls stay there. These are
                read-only management events: they need a trail that logs those, and EventBridge hands them only to rules
                in the state ``ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS``. They can be many, each is a message that
                is paid for, and another copy of a trail costs by the event. Default: False.
            iam_events_forwarded: True says that IAM's events reach the default event bus of this Region already, by a
                rule of yours or by another app's or stage's stack in us-east-1, so that none is made and each event is
                told once. If they do not, nobody is told of a change of the role. Default: False.
            dead_letter_queue: takes messages that the topic did not, after 24 hours of tries. Its own alarm is yours to
                make; a queue that nobody watches keeps a message from nobody. Default: none, and the metric
                ``FailedInvocations`` of the rule counts them.

        Raises:
            ValueError: the key is in another account or Region than this stack, the topic is not one that these rules
                reach, or there is no use to watch; nothing was built.
        """
        here = ours.environment_of(scope)
        key, role, user = _parts_of(cmek)
        checks.flag("watch_use", watch_use)
        checks.flag("iam_events_forwarded", iam_events_forwarded)
        ours.plain("topic", topic, "sns.ITopic")
        if dead_letter_queue is not None:
            ours.plain("dead_letter_queue", dead_letter_queue, "sqs.IQueue")
        checks.first(_problems(topic, key, here))
        if watch_use and (key is None or user is None):
            raise checks.refusal("PineconeCmekMonitoring", "use")

        super().__init__(scope, construct_id)
        if role is not None and key is not None and ours.in_two_accounts(role, key):
            ours.warn(self, [notice("role-events-elsewhere", account=ours.environment_of(role).account)])
            role = None
        self.rules = []
        for kind, pattern, it in _told_of(key, role, user if watch_use else None):
            needs = "; sees nothing without a CloudTrail trail" if "detail" in pattern else ""
            event_pattern = aws_events.EventPattern(**pattern)
            rule = aws_events.Rule(self, kind, description=_KINDS[kind]["names"] + needs, event_pattern=event_pattern)
            said = aws_events.RuleTargetInput.from_text(_message(_KINDS[kind], cmek.node.path, it))
            rule.add_target(targets.SnsTopic(topic, message=said, dead_letter_queue=dead_letter_queue))
            if kind in ("KeyUsedByOthers", "KeyUseDenied"):  # read-only calls, which a rule sees in this state alone
                resource: Any = rule.node.default_child
                resource.state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
            self.rules.append(rule)
        if role is not None and here.region != _HOME_OF_IAM and not iam_events_forwarded:
            _bring_iam_events_to(self, here)
        if not isinstance(topic, aws_sns.Topic):
            statement = {
                "Sid": "AllowEventBridgeToPublish",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sns:Publish",
                "Resource": "<the topic's ARN>" if checks.is_token(topic.topic_arn) else topic.topic_arn,
            }
            ours.warn(self, [notice("topic-policy", statement=statement)])


def _parts_of(cmek: Any) -> tuple[kms.IKey | None, iam.IRole | None, Any]:
    """A key and a role, each where there is one to watch, and the role that may use the key."""
    if isinstance(cmek, PineconeCmek):
        return cmek.key, cmek.role, cmek.role
    if isinstance(cmek, CustomerKey):
        return cmek.key, None, cmek.node.find_child("VendorRole")
    if isinstance(cmek, PineconeKey):
        return cmek, None, None
    if isinstance(cmek, CmekRole):
        return None, cmek, None
    what = "it is a PineconeCmek, a CustomerKey, a PineconeKey or a PineconeRole"
    return checks.refuse("cmek", cmek, what, "For a role or a key that was given to a PineconeCmek, give that.")


def _told_of(key: kms.IKey | None, role: iam.IRole | None, user: Any) -> Iterator[tuple[str, dict[str, Any], str]]:
    """What is told of a key and its aliases so far, of others who use it, and of a role and its own policies.

    Each kind with the pattern of its events, and whom they are about: the key's ARN, or the role's name.
    """
    told: dict[str, tuple[str, dict[str, Any]]] = {}  # of what: its name, and how an event is seen to be about it
    if key is not None:
        arn = ours.arn_of(key)
        names = [arn, key.key_id]
        # ``resources`` has its ARN in nearly all entries; ``RetireGrant`` has no request parameters,
        # ``UpdatePrimaryRegion`` in the new primary Region no resources, and a denied call may have neither.
        places: list[dict[str, Any]] = [
            {"resources": {"ARN": [arn]}},
            {"requestParameters": {"keyId": names}},
            {"requestParameters": {"targetKeyId": names}},
            {"responseElements": {"keyId": names}},
            {"errorMessage": [{"wildcard": f"*{arn}*"}]},
        ]
        # An alias that is moved away is named by itself alone.
        aliases = [one.alias_name for one in key.node.find_all() if isinstance(one, kms.CfnAlias)]
        by_alias = [{"requestParameters": {"aliasName": aliases}}] if aliases else []
        told = {"key": (arn, {"$or": [*places, *by_alias]}), "end of key": (arn, {"resources": [arn]})}
        if user is not None:
            # Of a role of another account an entry shows no more than the account.
            role_arn = ours.arn_of(user)
            account = cdk.Arn.split(role_arn, cdk.ArnFormat.SLASH_RESOURCE_NAME).account
            others = [{"anything-but": [account if role is None else role_arn]}, {"exists": False}]
            by = {"accountId": others} if role is None else {"sessionContext": {"sessionIssuer": {"arn": others}}}
            told["use by others"] = arn, {"$or": places, "userIdentity": by, "errorCode": [{"exists": False}]}
            told["denied use"] = arn, {"$or": places, "errorCode": [{"prefix": "AccessDenied"}]}  # or …DeniedException
    if role is not None:
        name = role.role_name
        # IAM takes a name in any case.
        told["role"] = name, {"requestParameters": {"roleName": [{"equals-ignore-case": name}]}}
        policies = [one.ref for one in role.node.find_all() if isinstance(one, iam.CfnManagedPolicy)]
        if policies:
            told["managed policy"] = name, {"requestParameters": {"policyArn": policies}}
    for kind in _KINDS:
        if (of := _KINDS[kind]["of"]) in told:
            it, about = told[of]
            yield kind, _pattern([kind], about), it


def _pattern(kinds: Sequence[str], about: Mapping[str, Any]) -> dict[str, Any]:
    """Calls that CloudTrail delivers, whoever made them and however they ended; or what KMS itself tells of a key."""
    service = "kms" if kinds[0].startswith("Key") else "iam"
    names = [name for kind in kinds for name in _KINDS[kind]["names"].split(", ")]
    if kinds == ["KeyGone"]:
        return {"source": ["aws.kms"], "detail_type": names, **about}
    detail = {"eventSource": [f"{service}.amazonaws.com"], "eventName": names, **about}
    return {"source": [f"aws.{service}"], "detail_type": ["AWS API Call via CloudTrail"], "detail": detail}


def _message(kind: Mapping[str, str], whose: str, it: str) -> str:
    """The text of an event: what, on what, by whom, when, where; what it means and what to do."""
    text = f"{kind['what']} What it means: {kind['means']} What to do: {kind['to_do']}"
    text = re.sub(r"<(.+?)>", lambda field: aws_events.EventField.from_path(f"$.{field[1]}"), text)
    return f"Pinecone CMEK {whose}: {text.replace('{it}', it)}"


def _bring_iam_events_to(scope: Construct, here: ours.Environment) -> None:
    """Have a stack in us-east-1 forward them to the default event bus of a scope's stack."""
    if here.region is None:
        ours.warn(scope, [notice("iam-events-not-seen")])
        return
    stack = cdk.Stack.of(scope)
    while stack.nested_stack_parent is not None:
        stack = stack.nested_stack_parent
    stage: Any = cdk.Stage.of(stack)
    # One serves an account and Region of an app or stage: a second would forward every event twice.
    name = f"pinecone-cmek-iam-events-{here.region}"
    construct_id = f"{name}-{here.account}" if here.account else name
    # Named after a stack, whose name is its own in the account and Region: that of another app or stage is another one,
    # and ends no messages here when it goes.
    name = f"{name}-{stack.stack_name}"
    if len(name) > 128:
        name = f"{name[:119]}-{sha256(name.encode()).hexdigest()[:8]}"
    forwarder: Any = stage.node.try_find_child(construct_id)
    if forwarder is None:
        env = cdk.Environment(account=here.account, region=_HOME_OF_IAM)
        says = f"Forwards IAM's events about roles to {here.region}, where Pinecone's role and key are watched"
        shape: dict[str, Any] = {"stack_name": name, "env": env, "description": says, "termination_protection": True}
        forwarder = cdk.Stack(stage, construct_id, **shape)
        calls = aws_events.EventPattern(**_pattern([kind for kind in _KINDS if kind.startswith("Role")], {}))
        bus_arn = f"arn:aws:events:{here.region}:{forwarder.account}:event-bus/default"
        bus = targets.EventBus(aws_events.EventBus.from_event_bus_arn(forwarder, "Bus", bus_arn))
        says = f"Calls that change a role, for the default event bus of {here.region}"
        aws_events.Rule(forwarder, "RolesChanged", description=says, event_pattern=calls, targets=[bus])
    stack.add_stack_dependency(forwarder, "It brings IAM's events")


def _problems(topic: aws_sns.ITopic, key: kms.IKey | None, here: ours.Environment) -> Iterator[ValueError]:
    """A key of another place, whose events never come here, and a topic that these rules do not reach."""
    there = here if key is None else ours.environment_of(key)
    for what, own, its in zip(("account", "region"), here, there, strict=True):
        if None not in (own, its) and own != its:
            yield checks.refusal("PineconeCmekMonitoring", "elsewhere", what=what, own=own, its=its)
    if topic.fifo:
        yield checks.refusal("PineconeCmekMonitoring", "fifo")
    of_topic = ours.environment_of(topic).region
    if None not in (of_topic, here.region) and of_topic != here.region:
        yield checks.refusal("PineconeCmekMonitoring", "region", of_topic=of_topic, region=here.region)
    its_key = getattr(topic, "master_key", None)
    if its_key is not None and key is not None and ours.arn_of(its_key) == ours.arn_of(key):
        yield checks.refusal("PineconeCmekMonitoring", "own-key")
