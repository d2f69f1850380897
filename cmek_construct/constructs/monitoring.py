"""Tells people when role or key are touched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from aws_cdk import aws_events, aws_sns, aws_sqs
from aws_cdk import aws_events_targets as targets
from constructs import Construct

from cmek_construct import checks
from cmek_construct.constructs import event_rules, events, iam_events
from cmek_construct.constructs.cdk import (
    Environment,
    arn_of,
    environment_of,
    environment_of_resource,
    warn,
)
from cmek_construct.constructs.events import Kind, Pattern
from cmek_construct.constructs.watched import Watchable, Watched, watched
from cmek_construct.warnings import notice


class PineconeCmekMonitoring(Construct):
    """Sends a text to an SNS topic whenever Pinecone's role or key is touched.

    Key: disabled, enabled, deletion scheduled, cancelled or done; policy, grant, alias, rotation,
    tag, replica changed. Role: trust policy, permissions, boundary, session duration or tag
    changed; deleted, or made again. One rule of EventBridge each, free of charge; the text says who
    did what and when, what it means, and what to do. A call that failed is told too, where
    CloudTrail's entry names the key or the role: that of a denied call on a role may not.

    Nothing arrives without a CloudTrail trail that logs write management events in the key's Region
    (the end of a key excepted, which KMS tells itself), and for the role in us-east-1, and that
    does not exclude KMS: make one first, this construct makes none. A replica of a multi-Region key
    is another key, in another Region. Of a managed policy that was made elsewhere, the role's
    attachment is told and its versions are not. Sources: EventBridge user guide, "AWS service
    events delivered via AWS CloudTrail"; KMS developer guide, "Logging AWS KMS API calls with AWS
    CloudTrail", "Excluding AWS KMS events from a trail".

    IAM's events exist in us-east-1 alone. In another Region a stack is made there,
    ``pinecone-cmek-iam-events-<region>``, one for an account and Region; it forwards every call
    that changes a role of the account to the default event bus here (about a dollar a million),
    where the rules look for the role. It is deployed before this stack, with the app's default
    synthesizer: us-east-1 must be bootstrapped too, unless the app does without.
    """

    rules: list[aws_events.Rule]
    """The rules: each takes further targets."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        cmek: Watchable,
        topic: aws_sns.ITopic,
        watch_use: bool = False,
        iam_events_forwarded: bool = False,
        dead_letter_queue: aws_sqs.IQueue | None = None,
    ) -> None:
        """Make the rules.

        Args:
            scope: the construct in which they are made, in the account and Region of the key.
                Nothing of role, key or alias changes by it.
            construct_id: its id there.
            cmek: what is watched: a `PineconeCmek` (role and key), a `CustomerKey` or `PineconeKey`
                (the key), or a `PineconeRole` (the role). Aliases and managed policies that the app
                makes for them later are not known here.
            topic: a standard SNS topic in the same Region, to which people subscribe. Its policy
                lets EventBridge publish; of an imported topic a warning says the statement. If it
                is encrypted, its key policy needs ``kms:Decrypt`` and ``kms:GenerateDataKey*`` for
                ``events.amazonaws.com``, which CDK adds to a key of the app; ``alias/aws/sns``
                cannot have it. Never encrypt it with the key that is watched. Source: SNS developer
                guide, "Enable compatibility between event sources from AWS services and encrypted
                topics".
            watch_use: True also tells of every use of the key by anyone but the role, and of every
                denied use. Of a role in another account no more is seen than the account, whose
                denied calls stay there. These are read-only management events: they need a trail
                that logs those, and EventBridge hands them only to rules in the state
                ``ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS``. They can be many, each is a
                message that is paid for, and another copy of a trail costs by the event.
                Default: False.
            iam_events_forwarded: True says that IAM's events reach the default event bus of this
                Region already, by a rule of yours or by another app's stack in us-east-1, so that
                none is made. If they do not, nobody is told of a change of the role. Default:
                False.
            dead_letter_queue: takes messages that the topic did not, after 24 hours of tries. Its
                own alarm is yours to make; a queue that nobody watches keeps a message from nobody.
                Default: none, and the metric ``FailedInvocations`` of the rule counts them.

        Raises:
            ValueError: the key is in another account or Region than this stack, the topic is not
                one that these rules reach, or there is no use to watch; nothing was built.
        """
        here = environment_of(scope)
        what = watched(cmek)
        checks.flag("watch_use", watch_use)
        checks.flag("iam_events_forwarded", iam_events_forwarded)
        _check_topic(topic)
        checks.first(
            what.elsewhere(here),
            _topic_out_of_reach(topic, what, here),
            _no_use_to_watch(what, watch_use),
        )

        super().__init__(scope, construct_id)
        self.rules = []
        self._topic = topic
        self._dead_letter_queue = dead_letter_queue
        if what.key is not None:
            self._watch_key(what, arn_of(what.key), what.key.key_id)
        if what.key is not None and watch_use:
            self._watch_use(what, arn_of(what.key), what.key.key_id)
        if what.role is not None:
            self._watch_role(what, what.role.role_name, here, iam_events_forwarded)
        if not isinstance(topic, aws_sns.Topic):
            topic_arn = topic.topic_arn
            said = "<the topic's ARN>" if checks.is_token(topic_arn) else topic_arn
            warn(self, [notice("topic-policy", statement=events.publish_statement(said))])

    def _watch_key(self, what: Watched, arn: str, key_id: str) -> None:
        about = events.about_key(arn, key_id, what.aliases)
        for kind in events.KEY_CALLS:
            self._tell(what, kind, events.api_calls("kms", kind.names, about), arn)
        gone = event_rules.service_message(events.KEY_GONE, what.path, arn)
        self._add(events.KEY_GONE, events.key_gone(arn), gone)

    def _watch_use(self, what: Watched, arn: str, key_id: str) -> None:
        about = events.about_key(arn, key_id)
        for kind, by_whom in (
            (events.KEY_USED, what.other_users),
            (events.KEY_REFUSED, events.denied()),
        ):
            plain = events.api_calls("kms", kind.names, {**about, **by_whom})
            rule = self._tell(what, kind, plain, arn).node.default_child
            assert isinstance(rule, aws_events.CfnRule)
            rule.state = events.IN_USE

    def _watch_role(self, what: Watched, name: str, here: Environment, forwarded: bool) -> None:
        if not what.role_is_here:
            account = environment_of_resource(what.role).account
            warn(self, [notice("role-events-elsewhere", account=account)])
            return
        for kind in events.ROLE_CALLS:
            plain = events.api_calls("iam", kind.names, events.about_role(name))
            self._tell(what, kind, plain, name)
        if what.policy_arns:
            kind = events.ROLE_POLICY_CALLS
            about = events.about_policies(what.policy_arns)
            self._tell(what, kind, events.api_calls("iam", kind.names, about), name)
        if here.region is None and not forwarded:
            warn(self, [notice("iam-events-not-seen")])
        elif here.region != iam_events.HOME and not forwarded:
            iam_events.bring_to(self, here)

    def _tell(self, what: Watched, kind: Kind, plain: Pattern, it: str) -> aws_events.Rule:
        return self._add(kind, plain, event_rules.message(kind, what.path, it))

    def _add(
        self, kind: Kind, plain: Pattern, message: aws_events.RuleTargetInput
    ) -> aws_events.Rule:
        target = targets.SnsTopic(
            self._topic, message=message, dead_letter_queue=self._dead_letter_queue
        )
        self.rules.append(event_rules.rule(self, kind, plain, target))
        return self.rules[-1]


def _check_topic(topic: Any) -> None:
    if isinstance(topic, str | type) or not hasattr(topic, "topic_arn"):
        checks.refuse(
            "topic",
            topic,
            "it is an sns.ITopic",
            "For an ARN, write sns.Topic.from_topic_arn(self, id, arn).",
        )
    if topic.fifo:
        checks.refuse(
            "topic", "a FIFO topic", "EventBridge publishes to standard topics", "Give one."
        )


def _topic_out_of_reach(
    topic: aws_sns.ITopic, what: Watched, here: Environment
) -> Iterator[ValueError]:
    region = environment_of_resource(topic).region
    if None not in (region, here.region) and region != here.region:
        yield ValueError(
            f"topic: got a topic in {region}, but a rule in {here.region} reaches topics of its "
            "own Region alone. Give a topic in the Region of the key."
        )
    key = getattr(topic, "master_key", None)
    if key is not None and what.key is not None and arn_of(key) == arn_of(what.key):
        yield ValueError(
            "topic: got a topic that is encrypted with the key that is watched, but then nobody "
            "is told when that key is disabled, and EventBridge would be let into Pinecone's key. "
            "Encrypt the topic with another key."
        )


def _no_use_to_watch(what: Watched, watch_use: bool) -> Iterator[ValueError]:
    if watch_use and (what.key is None or what.user is None):
        yield ValueError(
            "watch_use: got True, but from a PineconeKey alone nobody can tell who may use it, and "
            "a PineconeRole has no key. Give the PineconeCmek or the CustomerKey, or leave it out."
        )
