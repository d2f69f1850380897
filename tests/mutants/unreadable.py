"""Policies of which nobody can tell what they say."""

from __future__ import annotations

from tests.forms import EXTERNAL_ID
from tests.mutants.made import A_STRANGER, Call, all_regions, also, equals, role, trust, trust_mutants, trust_policy
from tests.simulator.who_may_assume import ASSUME, OTHER_ID, STRANGERS_NAMESAKE, US_EAST_1

trust_mutants(
    (
        "a statement by Fn::Transform",
        "whomever the included file names",
        lambda t: trust_policy(t).append({"Fn::Transform": {"Name": "AWS::Include"}}),
        Call(A_STRANGER, None),
        lambda t: trust_policy(t).append({"Effect": "Allow", "Principal": {"AWS": A_STRANGER.arn}, "Action": ASSUME}),
    ),
    (
        "a policy variable that Fn::Join puts together",
        "whoever makes a role of Pinecone's name",
        lambda t: trust(t).update(
            Principal={"AWS": "*"},
            Condition=all_regions(
                {"Fn::Join": ["{", ["arn:aws:iam::$", "aws:PrincipalAccount}:role/pinecone_cmek_access_*"]]}
            ),
        ),
        Call(STRANGERS_NAMESAKE),
    ),
    (
        "a trust policy that is text and no JSON",
        "whatever the deploy makes of it",
        lambda t: role(t).update(AssumeRolePolicyDocument="pinecone_cmek_access"),
        None,
    ),
    (
        "a macro that rewrites the template",
        "whatever the macro writes",
        lambda t: t.update(Transform=["OurOwnMacro"]),
        None,
    ),
    rule="cannot-be-judged",
)
trust_mutants(
    (
        "a principal by Fn::If",
        "everybody, in one of the two cases",
        lambda t: trust(t).update(Principal={"AWS": {"Fn::If": ["Debug", "*", US_EAST_1.arn]}}),
        Call(A_STRANGER),
        lambda t: trust(t).update(Principal={"AWS": "*"}),
    ),
    rule="trust-open-to-all",
)
trust_mutants(
    (
        "a principal that another stack exports",
        "whomever that stack names",
        lambda t: also(trust(t), {"Fn::ImportValue": "SomebodysArn"}),
        Call(A_STRANGER),
        lambda t: also(trust(t), A_STRANGER.arn),
    ),
    rule="trust-foreign-principal",
)
trust_mutants(
    (
        "an external ID by Fn::If",
        "Pinecone, for the other customer",
        lambda t: trust(t).update(Condition=equals(StringEquals={"Fn::If": ["Debug", OTHER_ID, EXTERNAL_ID]})),
        Call(US_EAST_1, OTHER_ID),
        lambda t: trust(t).update(Condition=equals(StringEquals=OTHER_ID)),
    ),
    rule="trust-external-id",
)
