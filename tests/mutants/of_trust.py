"""Trust policies that let in somebody else than Pinecone."""

from __future__ import annotations

from tests.forms import CUSTOMER, PINECONE
from tests.mutants.made import (
    A_STRANGER,
    A_STRANGERS_USER,
    OTHER_ACCOUNT,
    Call,
    all_regions,
    also,
    trust,
    trust_mutants,
    trust_policy,
)
from tests.simulator.questions import Caller
from tests.simulator.who_may_assume import (
    ASSUME,
    OTHER_ROLE_OF_PINECONE,
    STRANGER,
    STRANGERS_NAMESAKE,
    US_EAST_1,
    pinecone,
)

trust_mutants(
    (
        "a stranger's role beside Pinecone's",
        "a stranger assumes the role, if he presents the ID",
        lambda t: also(trust(t), A_STRANGER.arn),
        Call(A_STRANGER),
    ),
    (
        "a user of a stranger in place of Pinecone's roles",
        "a stranger assumes the role",
        lambda t: trust(t).update(Principal={"AWS": A_STRANGERS_USER.arn}),
        Call(A_STRANGERS_USER),
    ),
    (
        "another role of Pinecone's account",
        "any feature of Pinecone's reads what CMEK encrypts",
        lambda t: also(trust(t), OTHER_ROLE_OF_PINECONE.arn),
        Call(OTHER_ROLE_OF_PINECONE),
    ),
    (
        "an AWS service",
        "whoever may pass the role to EC2 uses it",
        lambda t: trust(t)["Principal"].update(Service="ec2.amazonaws.com"),
        Call(Caller("ec2.amazonaws.com")),
    ),
    (
        "a role of the account itself",
        "an administrator reads as Pinecone",
        lambda t: also(trust(t), f"arn:aws:iam::{CUSTOMER}:role/Admin"),
        Call(Caller(f"arn:aws:iam::{CUSTOMER}:role/Admin")),
    ),
    rule="trust-foreign-principal",
)
trust_mutants(
    (
        "Pinecone's name with hyphens",
        "whoever makes this role",
        lambda t: also(trust(t), pinecone("pinecone-cmek-access-us-east-1").arn),
        Call(pinecone("pinecone-cmek-access-us-east-1")),
    ),
    (
        "Pinecone's name in capitals",
        "whoever makes this role",
        lambda t: also(trust(t), pinecone("Pinecone_CMEK_access_us-east-1").arn),
        Call(pinecone("Pinecone_CMEK_access_us-east-1")),
    ),
    (
        "a letter less in Pinecone's name",
        "whoever makes this role",
        lambda t: also(trust(t), pinecone("pinecone_cmek_acces_us-east-1").arn),
        Call(pinecone("pinecone_cmek_acces_us-east-1")),
    ),
    (
        "Pinecone's name below a path",
        "whoever makes this role",
        lambda t: also(trust(t), pinecone("dev/pinecone_cmek_access_us-east-1").arn),
        Call(pinecone("dev/pinecone_cmek_access_us-east-1")),
    ),
    (
        "a name for no region",
        "whoever makes this role",
        lambda t: also(trust(t), pinecone("pinecone_cmek_access_staging").arn),
        Call(pinecone("pinecone_cmek_access_staging")),
    ),
    (
        "a look-alike in a stranger's account",
        "a stranger assumes the role",
        lambda t: also(trust(t), f"{OTHER_ACCOUNT}:role/pinecone_cmk_access_us-east-1"),
        Call(Caller(f"{OTHER_ACCOUNT}:role/pinecone_cmk_access_us-east-1")),
    ),
    rule="trust-look-alike",
)
trust_mutants(
    (
        "a role of another partition",
        "an account of that partition with Pinecone's number",
        lambda t: also(trust(t), f"arn:aws-cn:iam::{PINECONE}:role/pinecone_cmek_access_us-east-1"),
        Call(Caller(f"arn:aws-cn:iam::{PINECONE}:role/pinecone_cmek_access_us-east-1")),
    ),
    rule="trust-partition",
)
trust_mutants(
    (
        "everybody who presents the ID",
        "everybody who learns the ID",
        lambda t: trust(t).update(Principal={"AWS": "*"}),
        Call(A_STRANGER),
    ),
    (
        "everybody, written as a bare star",
        "everybody who learns the ID",
        lambda t: trust(t).update(Principal="*"),
        Call(A_STRANGER),
    ),
    (
        "Pinecone's whole account beside its roles",
        "every role of Pinecone's account",
        lambda t: also(trust(t), f"arn:aws:iam::{PINECONE}:root"),
        Call(OTHER_ROLE_OF_PINECONE),
    ),
    (
        "Pinecone's whole account, written as a number",
        "every role of Pinecone's account",
        lambda t: trust(t).update(Principal={"AWS": PINECONE}),
        Call(OTHER_ROLE_OF_PINECONE),
    ),
    rule="trust-open-to-all",
)
trust_mutants(
    (
        "the third policy without the condition on the caller",
        "everybody who learns the ID",
        lambda t: trust(t)["Condition"].pop("StringLike"),
        Call(A_STRANGER),
    ),
    (
        "the third policy without any condition",
        "everybody",
        lambda t: trust(t).pop("Condition"),
        Call(A_STRANGER, None),
    ),
    rule="trust-open-to-all",
    form="all_regions",
)
trust_mutants(
    (
        "Pinecone's account without the condition on the caller",
        "every role of Pinecone's account",
        lambda t: trust(t)["Condition"].pop("StringLike"),
        Call(OTHER_ROLE_OF_PINECONE),
    ),
    rule="trust-open-to-all",
    form="all_regions_pinned",
)
trust_mutants(
    (
        "a stranger's role of Pinecone's name beside Pinecone's",
        "a stranger",
        lambda t: also(trust(t), STRANGERS_NAMESAKE.arn),
        Call(STRANGERS_NAMESAKE),
    ),
    rule="trust-accounts",
)
trust_mutants(
    (
        "the third policy with a second account",
        "a stranger",
        lambda t: trust(t).update(
            Condition=all_regions(
                [f"arn:aws:iam::{account}:role/pinecone_cmek_access_*" for account in (PINECONE, STRANGER)]
            )
        ),
        Call(STRANGERS_NAMESAKE),
    ),
    rule="trust-accounts",
    form="all_regions",
)
trust_mutants(
    (
        "the account itself in place of Pinecone's",
        "one's own role of Pinecone's name",
        lambda t: trust(t).update(Principal={"AWS": f"arn:aws:iam::{CUSTOMER}:role/pinecone_cmek_access_us-east-1"}),
        Call(Caller(f"arn:aws:iam::{CUSTOMER}:role/pinecone_cmek_access_us-east-1")),
    ),
    rule="trust-own-account",
)
trust_mutants(
    (
        "sts:TagSession beside sts:AssumeRole",
        "Pinecone chooses the tags of its sessions",
        lambda t: trust(t).update(Action=["sts:AssumeRole", "sts:TagSession"]),
        Call(US_EAST_1, None, "sts:TagSession"),
    ),
    (
        "every action of STS",
        "Pinecone chooses the tags of its sessions",
        lambda t: trust(t).update(Action="sts:*"),
        Call(US_EAST_1, None, "sts:TagSession"),
    ),
    (
        "sts:AssumeRole and what begins so",
        "somebody signed in elsewhere",
        lambda t: trust(t).update(Action="sts:AssumeRole*"),
        Call(US_EAST_1, None, "sts:AssumeRoleWithWebIdentity"),
    ),
    rule="trust-action",
    form="explicit_without_id",
)
trust_mutants(
    (
        "NotPrincipal",
        "everybody but Pinecone",
        lambda t: trust(t).update(NotPrincipal=trust(t).pop("Principal")),
        Call(A_STRANGER),
    ),
    rule="trust-open-to-all",
)
trust_mutants(
    (
        "NotAction",
        "Pinecone does all else with the role",
        lambda t: (trust(t).pop("Action"), trust(t).update(NotAction="sts:GetCallerIdentity")),
        Call(US_EAST_1, None, "sts:TagSession"),
    ),
    rule="trust-action",
    form="explicit_without_id",
)
trust_mutants(
    (
        "a second statement for a stranger",
        "a stranger, without the ID",
        lambda t: trust_policy(t).append({"Effect": "Allow", "Principal": {"AWS": A_STRANGER.arn}, "Action": ASSUME}),
        Call(A_STRANGER, None),
    ),
    (
        "a first statement for a service",
        "whoever may pass the role to EC2",
        lambda t: trust_policy(t).insert(
            0, {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": ASSUME}
        ),
        Call(Caller("ec2.amazonaws.com"), None),
    ),
    (
        "a second statement under a condition of the template",
        "a stranger, if the condition holds",
        lambda t: trust_policy(t).append(
            {
                "Fn::If": [
                    "Debug",
                    {"Effect": "Allow", "Principal": {"AWS": A_STRANGER.arn}, "Action": ASSUME},
                    {"Ref": "AWS::NoValue"},
                ]
            }
        ),
        Call(A_STRANGER, None),
        lambda t: trust_policy(t).append({"Effect": "Allow", "Principal": {"AWS": A_STRANGER.arn}, "Action": ASSUME}),
    ),
    rule="trust-foreign-principal",
)
trust_mutants(
    (
        "a second statement for Pinecone without the ID",
        "Pinecone, for any of its customers",
        lambda t: trust_policy(t).append({"Effect": "Allow", "Principal": {"AWS": US_EAST_1.arn}, "Action": ASSUME}),
        Call(US_EAST_1, None),
    ),
    rule="trust-external-id",
)
trust_mutants(
    (
        "the third policy without the external ID",
        "Pinecone, for another of its customers",
        lambda t: trust(t)["Condition"].pop("StringEquals"),
        Call(US_EAST_1, None),
    ),
    rule="trust-external-id",
    form="all_regions",
)
