"""Trust policies whose conditions are none, or others than the guide's."""

from __future__ import annotations

from functools import partial
from typing import Any

from tests.forms import EXTERNAL_ID, PINECONE
from tests.mutants.made import (
    A_STRANGER,
    OTHER_ACCOUNT,
    Call,
    Template,
    all_regions,
    equals,
    mutant,
    trust,
    trust_mutants,
)
from tests.simulator.questions import Caller
from tests.simulator.who_may_assume import OTHER_ID, OTHER_ROLE_OF_PINECONE, STRANGERS_NAMESAKE, US_EAST_1, pinecone

trust_mutants(
    (
        "the third policy for every account",
        "whoever makes a role of Pinecone's name",
        lambda t: trust(t).update(Condition=all_regions("arn:aws:iam::*:role/pinecone_cmek_access_*")),
        Call(STRANGERS_NAMESAKE),
    ),
    (
        "the third policy for a shorter name",
        "other roles of Pinecone's account",
        lambda t: trust(t).update(Condition=all_regions(f"arn:aws:iam::{PINECONE}:role/*")),
        Call(OTHER_ROLE_OF_PINECONE),
    ),
    (
        "the third policy for everybody's ARN",
        "everybody who learns the ID",
        lambda t: trust(t).update(Condition=all_regions("*")),
        Call(A_STRANGER),
    ),
    (
        "the third policy with a second pattern",
        "a stranger",
        lambda t: trust(t).update(
            Condition=all_regions([f"arn:aws:iam::{PINECONE}:role/pinecone_cmek_access_*", f"{OTHER_ACCOUNT}:role/*"])
        ),
        Call(A_STRANGER),
    ),
    (
        "the third policy with a question mark",
        "roles of another name",
        lambda t: trust(t).update(Condition=all_regions(f"arn:aws:iam::{PINECONE}:role/pinecone?cmek?access_*")),
        Call(pinecone("pinecone-cmek-access_us-east-1")),
    ),
    (
        "the third policy for an account that is a policy variable",
        "whoever makes a role of Pinecone's name",
        lambda t: trust(t).update(
            Condition=all_regions("arn:aws:iam::${aws:PrincipalAccount}:role/pinecone_cmek_access_*")
        ),
        Call(STRANGERS_NAMESAKE),
    ),
    (
        "the third policy for an account that a parameter's default leaves open",
        "whoever makes a role of Pinecone's name",
        lambda t: (
            t.update(Parameters={"Account": {"Type": "String", "Default": "*"}}),
            trust(t).update(Condition=all_regions({"Fn::Sub": "arn:aws:iam::${Account}:role/pinecone_cmek_access_*"})),
        ),
        Call(STRANGERS_NAMESAKE),
        lambda t: trust(t).update(Condition=all_regions("arn:aws:iam::*:role/pinecone_cmek_access_*")),
    ),
    (
        "the third policy with the name below any path",
        "roles of any path",
        lambda t: trust(t).update(Condition=all_regions(f"arn:aws:iam::{PINECONE}:role/*pinecone_cmek_access_*")),
        Call(pinecone("not_pinecone_cmek_access_us-east-1")),
    ),
    rule="trust-principal-pattern",
    form="all_regions",
)
trust_mutants(
    (
        "an external ID with a wildcard",
        "Pinecone, for another customer with such an ID",
        lambda t: trust(t).update(Condition=equals(StringLike="9f1c2b7e-*")),
        Call(US_EAST_1, "9f1c2b7e-guessed"),
    ),
    (
        "any external ID by a wildcard",
        "Pinecone, for whomever",
        lambda t: trust(t).update(Condition=equals(StringLike="*")),
        Call(US_EAST_1, OTHER_ID),
    ),
    (
        "two external IDs",
        "Pinecone, for the other customer",
        lambda t: trust(t).update(Condition=equals(StringEquals=[EXTERNAL_ID, OTHER_ID])),
        Call(US_EAST_1, OTHER_ID),
    ),
    (
        "the external ID without regard to case",
        "Pinecone, for an ID that is another one to it",
        lambda t: trust(t).update(Condition=equals(StringEqualsIgnoreCase=EXTERNAL_ID)),
        Call(US_EAST_1, EXTERNAL_ID.upper()),
    ),
    (
        "an external ID that is a policy variable",
        "Pinecone, for whoever presents its role's ARN",
        lambda t: trust(t).update(Condition=equals(StringEquals="${aws:PrincipalArn}")),
        Call(US_EAST_1, US_EAST_1.arn),
    ),
    (
        "an external ID that is not the one of the output",
        "Pinecone, for the customer who has it",
        lambda t: trust(t).update(Condition=equals(StringEquals=OTHER_ID)),
        Call(US_EAST_1, OTHER_ID),
    ),
    (
        "no external ID, and an output that gives one",
        "Pinecone, for any of its customers",
        lambda t: (trust(t).pop("Condition"), trust(t).pop("Sid")),
        Call(US_EAST_1, None),
    ),
    (
        "no external ID under a Sid that promises one",
        "Pinecone, for any of its customers",
        lambda t: trust(t).pop("Condition"),
        Call(US_EAST_1, None),
    ),
    rule="trust-external-id",
)
trust_mutants(
    *(
        (
            f"the external ID under {operator}",
            "Pinecone, for another of its customers",
            lambda t, operator=operator, value=value: trust(t).update(Condition={operator: {"sts:ExternalId": value}}),
            Call(US_EAST_1, presented),
        )
        for operator, value, presented in (
            ("StringEqualsIfExists", EXTERNAL_ID, None),
            ("StringLikeIfExists", EXTERNAL_ID, None),
            ("ForAllValues:StringEquals", [EXTERNAL_ID], None),
            ("Null", "true", None),
            ("StringNotEquals", EXTERNAL_ID, OTHER_ID),
            ("StringNotLike", EXTERNAL_ID, OTHER_ID),
            ("StringNotEqualsIgnoreCase", EXTERNAL_ID, OTHER_ID),
        )
    ),
    (
        "a second ID for any value, by ForAnyValue",
        "Pinecone, for the other customer",
        lambda t: trust(t).update(Condition={"ForAnyValue:StringEquals": {"sts:ExternalId": [EXTERNAL_ID, OTHER_ID]}}),
        Call(US_EAST_1, OTHER_ID),
    ),
    rule="trust-external-id",
)
trust_mutants(
    *(
        (
            f"the third policy with the caller under {operator}",
            "a caller without such an ARN, such as a service",
            lambda t, operator=operator: trust(t).update(
                Condition={**equals(StringEquals=EXTERNAL_ID), operator: all_regions()["StringLike"]}
            ),
            Call(Caller("ec2.amazonaws.com")),
        )
        for operator in ("StringLikeIfExists", "ArnLikeIfExists", "ForAllValues:StringLike")
    ),
    (
        "the third policy with the caller negated",
        "everybody but Pinecone",
        lambda t: trust(t).update(
            Condition={**equals(StringEquals=EXTERNAL_ID), "StringNotLike": all_regions()["StringLike"]}
        ),
        Call(A_STRANGER),
    ),
    rule="trust-principal-pattern",
    form="all_regions",
)
trust_mutants(
    *(
        (
            f"the third policy with the caller {words}",
            "everybody who learns the ID",
            lambda t, value=value: trust(t)["Condition"].update(StringLike={"aws:PrincipalArn": value}),
            Call(A_STRANGER),
            lambda t: trust(t)["Condition"].pop("StringLike"),
        )
        for words, value in (("of no value", {"Ref": "AWS::NoValue"}),)
    ),
    rule="trust-open-to-all",
    form="all_regions",
)


def _caller_of(template: Template, value: Any) -> None:
    trust(template)["Condition"].update(StringLike={"aws:PrincipalArn": value})


for words, value in (("of a list of no value", [{"Ref": "AWS::NoValue"}]), ("of an empty list", [])):
    mutant(
        f"the third policy with the caller {words}",
        "pinecone-locked-out",
        "nobody, for no ARN is one of none: Pinecone is shut out",
        partial(_caller_of, value=value),
        form="all_regions",
    )
mutant(
    "an external ID of one character",
    "trust-external-id",
    "nobody, for STS lets nobody present it: Pinecone is shut out",
    lambda t: trust(t).update(Condition=equals(StringEquals="x")),
    keeps_out=Call(US_EAST_1),
)
mutant(
    "an external ID of characters that STS refuses",
    "trust-external-id",
    "nobody, for STS lets nobody present it: Pinecone is shut out",
    lambda t: trust(t).update(Condition=equals(StringEquals="my id #1")),
    keeps_out=Call(US_EAST_1),
)
