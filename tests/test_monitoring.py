"""People are told when role or key are touched: the rules, seen in templates and by a matcher.

The matcher is the embedded AWS's TestEventPattern, over the patterns of a deployed stack. (Moto has none.) What it
cannot show: a CloudTrail trail, the Region that IAM's events come from, delivery across Regions, and the state that
lets read-only events in.
"""

from __future__ import annotations

import copy
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs

from cmek_construct import CustomerKey, PineconeCmek, PineconeCmekMonitoring, PineconeKey, PineconeRole
from rehearsal import emulator
from rehearsal.aws import Aws, root
from tests import documented_events as documented
from tests.building import (
    ACCOUNT,
    EXTERNAL_ID,
    PINECONE,
    REGIONS,
    Template,
    cmek,
    new_app,
    new_stack,
    of_type,
    template_of,
    warnings_of,
)
from tests.documented_events import Event, Names
from tests.linted import lint

CUSTOMER = "444455556666"
VENDOR_ROLE = f"arn:aws:iam::{CUSTOMER}:role/Vendor"
FORWARDER = f"pinecone-cmek-iam-events-eu-west-1-{ACCOUNT}"
RULE = "AWS::Events::Rule"


def monitoring(scope: cdk.Stack, **props: Any) -> PineconeCmekMonitoring:
    usual: dict[str, Any] = {}
    if "topic" not in props:
        usual["topic"] = sns.Topic(scope, "Topic")
    if "cmek" not in props:
        usual["cmek"] = cmek(scope)
    return PineconeCmekMonitoring(scope, "Monitoring", **(usual | props))


def vendor_role(scope: cdk.Stack) -> PineconeRole:
    return PineconeRole(
        scope,
        "Role",
        pinecone_account_id=PINECONE,
        regions=REGIONS,
        external_id=EXTERNAL_ID,
        customer_account_ids=[CUSTOMER],
    )


def kinds_of(template: Template) -> set[str]:
    """The ids of the rules: a logical ID without the construct's and without its hash."""
    return {name.removeprefix("Monitoring")[:-8] for name in of_type(template, RULE)}


def rule_of(template: Template, kind: str) -> Template:
    (found,) = (
        rule["Properties"] for name, rule in of_type(template, RULE).items() if name.startswith(f"Monitoring{kind}")
    )
    return dict(found)


def templates(app: cdk.App) -> dict[str, Template]:
    assembly = app.synth(force=True)
    return {stack.id: stack.template for stack in assembly.stacks}


def manifest_of(app: cdk.App, stack: str) -> Any:
    """What the CDK CLI is told of a stack."""
    manifest = Path(app.synth().directory) / "manifest.json"
    return json.loads(manifest.read_text())["artifacts"][stack]


OF_KEY = {
    "KeyStopped",
    "KeyResumed",
    "KeyPolicyChanged",
    "KeyGrantsChanged",
    "KeyAliasChanged",
    "KeyRotationChanged",
    "KeyChanged",
    "KeyGone",
}
OF_ROLE = {"RoleTrustChanged", "RolePermissionsChanged", "RoleMadeAgain", "RoleChanged"}


# What is in the template.


def test_there_is_a_rule_for_each_kind_of_event_and_none_for_use() -> None:
    stack = new_stack()
    monitoring(stack)
    assert kinds_of(template_of(stack)) == OF_KEY | OF_ROLE
    assert warnings_of(stack) == {}


def test_use_is_watched_only_when_asked_and_then_in_the_state_for_read_only_events() -> None:
    stack = new_stack()
    monitoring(stack, watch_use=True)
    template = template_of(stack)
    in_use = {"KeyUsedByOthers", "KeyUseDenied"}
    assert kinds_of(template) == OF_KEY | OF_ROLE | in_use
    state = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    for kind in OF_KEY | OF_ROLE | in_use:
        assert rule_of(template, kind)["State"] == (state if kind in in_use else "ENABLED")


def test_a_pattern_says_service_call_and_key() -> None:
    stack = new_stack()
    monitoring(stack)
    pattern = rule_of(template_of(stack), "KeyPolicyChanged")["EventPattern"]
    arn = {"Fn::GetAtt": ["CmekKey21C8C2B3", "Arn"]}
    names = [arn, {"Ref": "CmekKey21C8C2B3"}]
    assert pattern == {
        "source": ["aws.kms"],
        "detail-type": ["AWS API Call via CloudTrail"],
        "detail": {
            "eventSource": ["kms.amazonaws.com"],
            "eventName": ["PutKeyPolicy"],
            "$or": [
                {"resources": {"ARN": [arn]}},
                {"requestParameters": {"keyId": names}},
                {"requestParameters": {"targetKeyId": names}},
                {"responseElements": {"keyId": names}},
                {"errorMessage": [{"wildcard": {"Fn::Join": ["", ["*", arn, "*"]]}}]},
                {"requestParameters": {"aliasName": ["alias/pinecone-cmek/StackCmekKey85E5D27E"]}},
            ],
        },
    }


def test_the_pattern_of_a_role_says_its_name() -> None:
    stack = new_stack()
    monitoring(stack)
    detail = rule_of(template_of(stack), "RoleTrustChanged")["EventPattern"]["detail"]
    assert detail["eventName"] == ["UpdateAssumeRolePolicy"]
    assert detail["requestParameters"] == {"roleName": [{"equals-ignore-case": {"Ref": "CmekRoleB9267AA0"}}]}


def test_every_rule_but_that_of_kms_itself_says_that_it_needs_a_trail() -> None:
    stack = new_stack()
    monitoring(stack, watch_use=True)
    for name, rule in of_type(template_of(stack), RULE).items():
        needs = "sees nothing without a CloudTrail trail" in rule["Properties"]["Description"]
        assert needs is not name.startswith("MonitoringKeyGone")


def test_eventbridge_may_publish_to_the_topic_and_decrypt_with_its_key() -> None:
    stack = new_stack()
    own = kms.Key(stack, "TopicKey")
    monitoring(stack, topic=sns.Topic(stack, "Topic", master_key=own))
    template = template_of(stack)
    (policy,) = of_type(template, "AWS::SNS::TopicPolicy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sns:Publish"
    for name, resource in of_type(template, "AWS::KMS::Key").items():
        allowed = "events.amazonaws.com" in json.dumps(resource)
        assert allowed is name.startswith("TopicKey")


def test_messages_that_the_topic_did_not_take_go_to_a_queue_only_if_there_is_one() -> None:
    for queue in (False, True):
        stack = new_stack()
        props = {"dead_letter_queue": sqs.Queue(stack, "Queue")} if queue else {}
        monitoring(stack, **props)
        for rule in of_type(template_of(stack), RULE).values():
            assert ("DeadLetterConfig" in rule["Properties"]["Targets"][0]) is queue


def test_a_rule_takes_further_targets() -> None:
    stack = new_stack()
    made = monitoring(stack)
    assert len(made.rules) == len(OF_KEY | OF_ROLE)
    assert made.rules[0].rule_arn


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_monitoring_changes_nothing_of_role_key_and_alias(region: str) -> None:
    without, watched = new_stack(region=region), new_stack(region=region)
    cmek(without)
    monitoring(watched, watch_use=True)
    before, after = template_of(without), template_of(watched)
    assert before["Resources"] == {
        name: resource for name, resource in after["Resources"].items() if name.startswith("Cmek")
    }
    assert before["Outputs"] == after["Outputs"]


def test_monitoring_in_another_stack_moves_nothing() -> None:
    app = new_app()
    home, other = new_stack(app, "Home"), new_stack(app, "Other")
    ours = cmek(home)
    alone = new_stack(name="Home")
    cmek(alone)
    monitoring(other, cmek=ours)
    assert template_of(home)["Resources"] == template_of(alone)["Resources"]
    assert kinds_of(template_of(other)) == OF_KEY | OF_ROLE


# What is watched.


def test_of_a_customers_key_there_is_no_role_to_watch() -> None:
    stack = new_stack()
    monitoring(stack, cmek=CustomerKey(stack, "Key", role_arn=VENDOR_ROLE), watch_use=True)
    template = template_of(stack)
    assert kinds_of(template) == OF_KEY | {"KeyUsedByOthers", "KeyUseDenied"}
    detail = rule_of(template, "KeyUsedByOthers")["EventPattern"]["detail"]
    assert detail["userIdentity"] == {"accountId": [{"anything-but": [CUSTOMER]}, {"exists": False}]}


def test_a_vendors_role_is_watched_with_its_managed_policies() -> None:
    stack = new_stack()
    monitoring(stack, cmek=vendor_role(stack))
    template = template_of(stack)
    assert kinds_of(template) == OF_ROLE | {"RolePolicyChanged"}
    (policy,) = of_type(template, "AWS::IAM::ManagedPolicy")
    detail = rule_of(template, "RolePolicyChanged")["EventPattern"]["detail"]
    assert detail["requestParameters"] == {"policyArn": [{"Ref": policy}]}


def test_a_key_alone_is_watched() -> None:
    stack = new_stack()
    monitoring(stack, cmek=PineconeKey(stack, "Key", role=vendor_role(stack)))
    assert kinds_of(template_of(stack)) == OF_KEY


def test_an_imported_role_of_this_account_is_watched_by_its_name() -> None:
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Role", f"arn:aws:iam::{ACCOUNT}:role/path/Ours")
    monitoring(stack, cmek=cmek(stack, role=role))
    detail = rule_of(template_of(stack), "RoleTrustChanged")["EventPattern"]["detail"]
    assert detail["requestParameters"]["roleName"] == [{"equals-ignore-case": "Ours"}]


def test_a_role_of_another_account_is_not_watched_and_that_is_said() -> None:
    stack = new_stack()
    role = iam.Role.from_role_arn(stack, "Role", VENDOR_ROLE)
    monitoring(stack, cmek=cmek(stack, role=role), watch_use=True)
    template = template_of(stack)
    assert not kinds_of(template) & OF_ROLE
    said = warnings_of(stack)["cmek-construct:role-events-elsewhere"]
    assert CUSTOMER in said
    user = rule_of(template, "KeyUsedByOthers")["EventPattern"]["detail"]["userIdentity"]
    assert user == {"accountId": [{"anything-but": [CUSTOMER]}, {"exists": False}]}


# IAM's events are in us-east-1.


def test_in_us_east_1_one_stack_is_enough() -> None:
    app = new_app()
    monitoring(new_stack(app))
    assert set(templates(app)) == {"Stack"}


def test_elsewhere_a_stack_in_us_east_1_forwards_them_to_this_region() -> None:
    app = new_app()
    stack = new_stack(app, region="eu-west-1")
    monitoring(stack)
    made = templates(app)
    assert set(made) == {"Stack", FORWARDER}
    assert kinds_of(made["Stack"]) == OF_KEY | OF_ROLE
    assert warnings_of(stack) == {}
    artifact = app.synth().get_stack_artifact(FORWARDER)
    assert artifact.environment.region == "us-east-1"
    assert artifact.environment.account == ACCOUNT
    assert artifact.stack_name == "pinecone-cmek-iam-events-eu-west-1-Stack"
    assert manifest_of(app, FORWARDER)["properties"]["terminationProtection"] is True
    (rule,) = of_type(made[FORWARDER], RULE).values()
    bus = f"arn:aws:events:eu-west-1:{ACCOUNT}:event-bus/default"
    assert rule["Properties"]["Targets"][0]["Arn"] == bus
    (policy,) = of_type(made[FORWARDER], "AWS::IAM::Policy").values()
    (statement,) = policy["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Action"], statement["Resource"]) == ("events:PutEvents", bus)


def test_what_is_forwarded_is_all_that_the_rules_here_look_for() -> None:
    app = new_app()
    stack = new_stack(app, region="eu-west-1")
    monitoring(stack, cmek=vendor_role(stack))
    made = templates(app)
    (rule,) = of_type(made[FORWARDER], RULE).values()
    forwarded = rule["Properties"]["EventPattern"]["detail"]
    here = [one["Properties"]["EventPattern"] for one in of_type(made["Stack"], RULE).values()]
    assert set(forwarded) == {"eventSource", "eventName"}
    assert set(forwarded["eventName"]) == {name for pattern in here for name in pattern["detail"]["eventName"]}


def test_it_is_deployed_first_and_like_every_stack_of_the_app() -> None:
    app = new_app()
    stack = new_stack(app, region="eu-west-1")
    monitoring(stack)
    assert FORWARDER in manifest_of(app, "Stack")["dependencies"]
    role = f"role/cdk-hnb659fds-deploy-role-{ACCOUNT}-us-east-1"
    assert manifest_of(app, FORWARDER)["properties"]["assumeRoleArn"].endswith(role)
    assert "Rules" not in templates(app)[FORWARDER]


def test_one_such_stack_serves_an_account_and_region() -> None:
    app = new_app()
    for name in ("One", "Two"):
        monitoring(new_stack(app, name, region="eu-west-1"))
    monitoring(new_stack(app, "There", region="eu-central-1"))
    monitoring(new_stack(app, "Theirs", region="eu-west-1", account=CUSTOMER))
    assert set(templates(app)) == {
        "One",
        "Two",
        "There",
        "Theirs",
        FORWARDER,
        f"pinecone-cmek-iam-events-eu-central-1-{ACCOUNT}",
        f"pinecone-cmek-iam-events-eu-west-1-{CUSTOMER}",
    }


def test_two_stages_of_one_account_do_not_end_each_others_messages() -> None:
    app = new_app()
    for name in ("Test", "Prod"):
        stage = cdk.Stage(app, name, env=cdk.Environment(account=ACCOUNT, region="eu-west-1"))
        monitoring(cdk.Stack(stage, "Search"))
    names = {
        one.stack_name
        for nested in app.synth().nested_assemblies
        for one in nested.nested_assembly.stacks
        if one.environment.region == "us-east-1"
    }
    assert names == {"pinecone-cmek-iam-events-eu-west-1-Test-Search", "pinecone-cmek-iam-events-eu-west-1-Prod-Search"}


def test_long_names_that_differ_at_their_end_have_a_stack_each() -> None:
    names = set()
    for end in ("test", "prod"):
        app = new_app()
        env = cdk.Environment(account=ACCOUNT, region="eu-west-1")
        monitoring(cdk.Stack(app, "Search", stack_name=f"{'s' * 124}{end}", env=env))
        assembly = app.synth()
        names |= {one.stack_name for one in assembly.stacks if one.environment.region == "us-east-1"}
    assert [len(one) for one in names] == [128, 128]


def test_an_app_without_bootstrap_has_it_without_too() -> None:
    app = cdk.App(default_stack_synthesizer=cdk.BootstraplessSynthesizer())
    monitoring(new_stack(app, region="eu-west-1"))
    properties = manifest_of(app, FORWARDER)["properties"]
    assert "stackTemplateAssetObjectUrl" not in properties
    assert "requiresBootstrapStackVersion" not in properties


def test_a_nested_stack_waits_for_it_too() -> None:
    app = new_app()
    monitoring(cdk.NestedStack(new_stack(app, region="eu-west-1"), "Inner"))
    assert FORWARDER in manifest_of(app, "Stack")["dependencies"]


def test_no_stack_is_made_where_the_events_are_forwarded_already() -> None:
    app = new_app()
    monitoring(new_stack(app, region="eu-west-1"), iam_events_forwarded=True)
    made = templates(app)
    assert set(made) == {"Stack"}
    assert kinds_of(made["Stack"]) == OF_KEY | OF_ROLE


def test_without_a_region_it_is_said_that_they_may_not_be_seen() -> None:
    app = new_app()
    stack = new_stack(app, account=None, region=None)
    monitoring(stack)
    assert set(templates(app)) == {"Stack"}
    said = warnings_of(stack)["cmek-construct:iam-events-not-seen"]
    assert "us-east-1" in said
    assert "iam_events_forwarded=True" in said


def test_with_a_region_and_no_account_the_stack_is_made() -> None:
    app = new_app()
    monitoring(new_stack(app, account=None, region="eu-west-1"))
    assert set(templates(app)) == {"Stack", "pinecone-cmek-iam-events-eu-west-1"}


# What is refused, and what warns.


def test_of_an_imported_topic_the_statement_is_said() -> None:
    stack = new_stack()
    arn = f"arn:aws:sns:us-east-1:{ACCOUNT}:central"
    monitoring(stack, topic=sns.Topic.from_topic_arn(stack, "Topic", arn))
    said = warnings_of(stack)["cmek-construct:topic-policy"]
    assert f'"Resource": "{arn}"' in said
    assert '"Action": "sns:Publish"' in said


def refused(stack: cdk.Stack, **props: Any) -> str:
    with pytest.raises(ValueError, match=r".") as error:
        monitoring(stack, **props)
    assert stack.node.try_find_child("Monitoring") is None
    return str(error.value)


@pytest.mark.parametrize("value", ["arn:aws:sns:us-east-1:111122223333:central", None, sns.Topic], ids=str)
def test_a_topic_is_a_topic(value: Any) -> None:
    said = refused(new_stack(), topic=value)
    assert "sns.Topic.from_topic_arn" in said


@pytest.mark.parametrize("value", ["arn:aws:sqs:us-east-1:111122223333:dead", [], sqs.Queue])
def test_a_dead_letter_queue_is_a_queue(value: Any) -> None:
    assert "sqs.Queue.from_queue_arn" in refused(new_stack(), dead_letter_queue=value)


def test_a_fifo_topic_is_refused() -> None:
    stack = new_stack()
    assert "standard" in refused(stack, topic=sns.Topic(stack, "Topic", fifo=True))


def test_a_topic_of_another_region_is_refused() -> None:
    stack = new_stack()
    arn = f"arn:aws:sns:eu-west-1:{ACCOUNT}:central"
    said = refused(stack, topic=sns.Topic.from_topic_arn(stack, "Topic", arn))
    assert "got a topic in eu-west-1" in said


def test_a_topic_encrypted_with_the_watched_key_is_refused() -> None:
    stack = new_stack()
    ours = cmek(stack)
    topic = sns.Topic(stack, "Topic", master_key=ours.key)
    assert "another key" in refused(stack, cmek=ours, topic=topic)


@pytest.mark.parametrize("where", [{"account": CUSTOMER}, {"region": "eu-west-1"}], ids=["account", "region"])
def test_a_key_of_another_place_is_refused(where: dict[str, Any]) -> None:
    app = new_app()
    ours = cmek(new_stack(app, "Home", **where), role_name="fixed")
    said = refused(new_stack(app), cmek=ours)
    assert f"got a key in the {next(iter(where))} {next(iter(where.values()))}" in said


def test_there_is_no_use_to_watch_without_a_key_and_its_user() -> None:
    stack = new_stack()
    role = vendor_role(stack)
    key = PineconeKey(stack, "Key", role=role)
    for part in (role, key):
        said = refused(stack, cmek=part, topic=sns.Topic(stack, part.node.id + "T"), watch_use=True)
        assert "watch_use" in said


@pytest.mark.parametrize("value", ["Cmek", None, PineconeCmek], ids=str)
def test_what_is_watched_is_of_this_library(value: Any) -> None:
    assert "it is a PineconeCmek" in refused(new_stack(), cmek=value)


def test_a_flag_is_a_flag() -> None:
    for name in ("watch_use", "iam_events_forwarded"):
        assert name in refused(new_stack(), **{name: "yes"})


def test_cfn_lint_finds_nothing_but_how_cdk_joins_texts(tmp_path: Path) -> None:
    app = new_app()
    stack = new_stack(app, region="eu-west-1")
    monitoring(stack, cmek=cmek(stack, role=vendor_role(stack)), watch_use=True)
    for name, template in templates(app).items():
        (tmp_path / f"{name}.json").write_text(json.dumps(template))
    assert {match.rule.id for match in lint(tmp_path)} == {"I1022"}


# An event of each kind, as AWS documents it, matches its rule.


@dataclass(frozen=True)
class Deployed:
    """A stack with all rules, in the embedded AWS."""

    aws: Aws
    names: Names
    patterns: dict[str, str]
    topic_arn: str
    queue_url: str

    @cached_property
    def events(self) -> Any:
        return self.aws.client("events", root(ACCOUNT))

    def told_by(self, event: Event) -> set[str]:
        """The kinds whose rules an event matches."""
        text = json.dumps(event)
        client = self.events
        return {
            kind
            for kind, pattern in self.patterns.items()
            if client.test_event_pattern(EventPattern=pattern, Event=text)["Result"]
        }


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    emulator.install()
    with emulator.running(tmp_path_factory.mktemp("emulator")) as running:
        yield deploy(Aws(running.endpoint), watched_template())


def watched_template() -> Template:
    stack = new_stack()
    topic = sns.Topic(stack, "Topic")
    topic.add_subscription(subscriptions.SqsSubscription(sqs.Queue(stack, "Queue")))
    monitoring(stack, cmek=cmek(stack, role=vendor_role(stack)), topic=topic, watch_use=True)
    return template_of(stack)


def deploy(aws: Aws, template: Template) -> Deployed:
    cloudformation = aws.client("cloudformation", root(ACCOUNT))
    cloudformation.create_stack(StackName="Stack", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    cloudformation.get_waiter("stack_create_complete").wait(
        StackName="Stack", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    found = cloudformation.describe_stack_resources(StackName="Stack")["StackResources"]
    ids = {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in found}
    of = {one["ResourceType"]: one["PhysicalResourceId"] for one in found}
    key = aws.client("kms", root(ACCOUNT)).describe_key(KeyId=of["AWS::KMS::Key"])
    client = aws.client("events", root(ACCOUNT))
    return Deployed(
        aws,
        Names(
            key_arn=key["KeyMetadata"]["Arn"],
            alias=of["AWS::KMS::Alias"],
            role=of["AWS::IAM::Role"],
            policy_arn=of["AWS::IAM::ManagedPolicy"],
        ),
        {
            name.removeprefix("Monitoring")[:-8]: client.describe_rule(Name=ids[name])["EventPattern"]
            for name in of_type(template, RULE)
        },
        of["AWS::SNS::Topic"],
        of["AWS::SQS::Queue"],
    )


OTHERS = Names(
    key_arn=f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    alias="alias/my_alias",
    role="TestRole",
    policy_arn=f"arn:aws:iam::{ACCOUNT}:policy/TestPolicy",
)
PAGES = [page for make in (documented.of_key, documented.of_role) for page, _, _ in make(OTHERS)]


def documented_event(page: str, names: Names) -> tuple[str, Event]:
    (found,) = (
        (kind, event)
        for make in (documented.of_key, documented.of_role)
        for one, kind, event in make(names)
        if one == page
    )
    return found


@pytest.mark.parametrize("page", PAGES)
def test_an_event_as_aws_documents_it_matches_its_rule_alone(page: str, deployed: Deployed) -> None:
    kind, event = documented_event(page, deployed.names)
    assert deployed.told_by(event) == {kind}


@pytest.mark.parametrize("page", PAGES)
def test_the_same_event_of_another_key_or_role_matches_no_rule(page: str, deployed: Deployed) -> None:
    _, event = documented_event(page, OTHERS)
    assert deployed.told_by(event) == set()


def test_every_call_that_a_rule_names_is_among_the_documented_events(deployed: Deployed) -> None:
    """So that none is only believed to match."""
    seen = set()
    for page in PAGES:
        _, event = documented_event(page, deployed.names)
        seen.add(event["detail"].get("eventName", event["detail-type"]))
    named = set()
    for kind, text in deployed.patterns.items():
        pattern = json.loads(text)
        if kind not in ("KeyUsedByOthers", "KeyUseDenied"):
            named |= set(pattern.get("detail", {}).get("eventName", pattern["detail-type"]))
    assert named == seen


@pytest.mark.parametrize("by", ["key_id", "key_arn"])
@pytest.mark.parametrize("page", ["ct-disablekey", "ct-put-key-policy", "ct-creategrant"])
def test_a_key_is_recognized_by_its_id_and_its_arn_alone(page: str, by: str, deployed: Deployed) -> None:
    kind, event = documented_event(page, deployed.names)
    detail = event["detail"]
    detail["responseElements"] = detail["resources"] = None
    detail["requestParameters"]["keyId"] = getattr(deployed.names, by)
    assert deployed.told_by(event) == {kind}


def test_a_denied_attempt_is_told_although_it_has_no_parameters(deployed: Deployed) -> None:
    arn = deployed.names.key_arn
    event = documented.event(
        "kms",
        "ScheduleKeyDeletion",
        None,
        errorCode="AccessDenied",
        errorMessage=f"User: {documented.NOBODY['arn']} is not authorized to perform: "
        f"kms:ScheduleKeyDeletion on resource: {arn} because no identity-based policy allows the "
        "kms:ScheduleKeyDeletion action",
    )
    assert deployed.told_by(event) == {"KeyStopped"}


def test_an_alias_that_is_moved_to_another_key_is_told(deployed: Deployed) -> None:
    names = Names(OTHERS.key_arn, deployed.names.alias, "", "")
    for page in ("ct-createalias", "ct-updatealias", "ct-deletealias"):
        assert deployed.told_by(documented_event(page, names)[1]) == {"KeyAliasChanged"}


def test_a_role_is_recognized_in_any_case_and_by_its_whole_name(deployed: Deployed) -> None:
    name = deployed.names.role
    for given, told in ((name.upper(), True), (name + "x", False), (name[:-1], False)):
        event = documented.event("iam", "DeleteRole", {"roleName": given})
        assert deployed.told_by(event) == ({"RoleMadeAgain"} if told else set())


def test_an_event_that_was_forwarded_from_us_east_1_is_as_good(deployed: Deployed) -> None:
    event = documented.event("iam", "DeleteRole", {"roleName": deployed.names.role})
    assert deployed.told_by(event | {"region": "us-east-1"}) == {"RoleMadeAgain"}


@pytest.mark.parametrize(
    ("change", "what"),
    [({"source": "aws.s3"}, "another source"), ({"detail-type": "AWS Console Sign In via CloudTrail"}, "another type")],
    ids=lambda one: one if isinstance(one, str) else "",
)
def test_other_events_match_no_rule(change: Event, what: str, deployed: Deployed) -> None:
    for page in ("ct-disablekey", "API_DeleteRole"):
        assert deployed.told_by(documented_event(page, deployed.names)[1] | change) == set()


# Use.


USES = ["Encrypt", "Decrypt", "ReEncrypt", "GenerateDataKey", "GenerateDataKeyPair"]
DENIED = {"errorCode": "AccessDenied", "errorMessage": "no resource-based policy allows"}


@pytest.mark.parametrize("name", USES)
def test_use_by_our_role_is_not_told_and_by_anyone_else_is(name: str, deployed: Deployed) -> None:
    ours = documented.session(deployed.names)
    theirs = documented.session(OTHERS)
    assert deployed.told_by(documented.use(deployed.names, name, ours)) == set()
    for who in (theirs, documented.NOBODY, documented.stranger(CUSTOMER)):
        used = documented.use(deployed.names, name, who)
        assert deployed.told_by(used) == {"KeyUsedByOthers"}
        assert deployed.told_by(documented.use(OTHERS, name, who)) == set()


def test_denied_use_is_told_whoever_it_was(deployed: Deployed) -> None:
    for who in (documented.session(deployed.names), documented.NOBODY):
        denied = documented.use(deployed.names, who=who, **DENIED)
        assert deployed.told_by(denied) == {"KeyUseDenied"}
    wrong = documented.use(deployed.names, errorCode="IncorrectKeyException")
    assert deployed.told_by(wrong) == set()


def test_use_by_the_vendors_account_is_not_told_to_a_customer(deployed: Deployed) -> None:
    stack = new_stack()
    monitoring(stack, cmek=CustomerKey(stack, "Key", role_arn=VENDOR_ROLE), watch_use=True)
    pattern = rule_of(template_of(stack), "KeyUsedByOthers")["EventPattern"]
    # The key is not deployed: the part of the pattern that names it is left out.
    pattern = copy.deepcopy(pattern)
    del pattern["detail"]["$or"]
    for account, told in ((CUSTOMER, False), ("777788889999", True), (ACCOUNT, True)):
        event = documented.use(OTHERS, who=documented.stranger(account))
        answer = deployed.events.test_event_pattern(EventPattern=json.dumps(pattern), Event=json.dumps(event))
        assert answer["Result"] is told


# Limits, and the text.


def test_a_pattern_is_within_eventbridges_quota(deployed: Deployed) -> None:
    """EventBridge quotas: "Event pattern size: 2,048 characters"."""
    assert max(map(len, deployed.patterns.values())) <= 2048


def text_of(deployed: Deployed, kind: str, event: Event) -> str:
    """What a subscriber reads: EventBridge takes no event of AWS from a test, so another source."""
    client = deployed.events
    rules = client.list_rules()["Rules"]
    (name,) = (one["Name"] for one in rules if f"Monitoring{kind}" in one["Name"])
    (target,) = client.list_targets_by_rule(Rule=name)["Targets"]
    client.put_rule(Name="told", EventPattern=json.dumps({"source": ["test"]}))
    client.put_targets(Rule="told", Targets=[target])
    sent = {"Source": "test", "DetailType": event["detail-type"]}
    client.put_events(Entries=[sent | {"Detail": json.dumps(event["detail"])}])
    queue = deployed.aws.client("sqs", root(ACCOUNT))
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for message in queue.receive_message(QueueUrl=deployed.queue_url).get("Messages", ()):
            queue.delete_message(QueueUrl=deployed.queue_url, ReceiptHandle=message["ReceiptHandle"])
            return str(json.loads(message["Body"])["Message"])
        time.sleep(0.05)
    raise AssertionError("nothing arrived")


def test_the_text_says_who_what_when_where_what_it_means_and_what_to_do(deployed: Deployed) -> None:
    _, event = documented_event("ct-schedule-key-deletion", deployed.names)
    arn = deployed.names.key_arn
    assert json.loads(text_of(deployed, "KeyStopped", event)) == (
        f"Pinecone CMEK Stack/Cmek: ScheduleKeyDeletion on {arn}, by arn:aws:iam::{ACCOUNT}:user/Alice  (IAMUser, "
        f"account {ACCOUNT}, from 192.0.2.0), at 2022-09-01T20:06:16Z, in account {ACCOUNT}, us-east-1. If it failed, "
        "with the error: . What it means: Pinecone can no longer use the key, and works on with cached data keys for "
        "a time. A key whose deletion is scheduled is gone after 7 to 30 days, and with it for good all that was "
        f"encrypted. What to do: Unless you meant it: aws kms cancel-key-deletion --key-id {arn} (if it is scheduled), "
        f"then aws kms enable-key --key-id {arn}. Imported key material: import the same again."
    )


def test_the_text_about_a_role_names_the_role(deployed: Deployed) -> None:
    _, event = documented_event("API_DeleteRole", deployed.names)
    text = json.loads(text_of(deployed, "RoleMadeAgain", event))
    assert f"DeleteRole on {deployed.names.role}, by" in text
    assert f"aws iam get-role --role-name {deployed.names.role}." in text


def test_every_text_is_one_string_and_has_no_gap(deployed: Deployed) -> None:
    for page in PAGES:
        kind, event = documented_event(page, deployed.names)
        text = json.loads(text_of(deployed, kind, event))
        assert "<" not in text
        assert "{" not in text
