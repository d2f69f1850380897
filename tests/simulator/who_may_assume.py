"""Who may assume the role: tables over the three trust policies of Pinecone's guide."""

from __future__ import annotations

from tests.forms import CUSTOMER, EXTERNAL_ID, PINECONE
from tests.simulator import aws_pages as aws
from tests.simulator.aws_pages import Page
from tests.simulator.questions import THE_ROLE, Caller, Row, Table, row
from tests.simulator.simulator import Result

ALLOWED, DENIED, EXPLICITLY_DENIED = Result.ALLOWED, Result.DENIED, Result.EXPLICITLY_DENIED

STRANGER = "777788889999"
OTHER_ID = "1b9d6bcd-bbfd-4b2d-9b5d-ab8dfbbd4bed"
ASSUME = "sts:AssumeRole"


def pinecone(name: str) -> Caller:
    """A role of Pinecone's account, with its path if it has one."""
    return Caller(f"arn:aws:iam::{PINECONE}:role/{name}")


US_EAST_1 = pinecone("pinecone_cmek_access_us-east-1")
EU_WEST_1 = pinecone("pinecone_cmek_access_eu-west-1")
US_WEST_2 = pinecone("pinecone_cmek_access_us-west-2")

STRANGERS_NAMESAKE = Caller(f"arn:aws:iam::{STRANGER}:role/pinecone_cmek_access_us-east-1")
OTHER_ROLE_OF_PINECONE = pinecone("Admin")
OWN_ADMIN = Caller(f"arn:aws:iam::{CUSTOMER}:user/Admin")


def outsiders(names: Page, nobody: Page) -> list[Row]:
    """Who stays outside, though their own account lets them do everything.

    Args:
        names: the page that says which names the policy matches.
        nobody: the page that says why one without a role or a user does not match.
    """
    return [
        row("from a role of the same name in a stranger's account", DENIED, names, caller=STRANGERS_NAMESAKE),
        row("from another role of a stranger", DENIED, names, caller=Caller(f"arn:aws:iam::{STRANGER}:role/Admin")),
        row("from a stranger's root user", DENIED, names, caller=Caller(f"arn:aws:iam::{STRANGER}:root")),
        row("from another role of Pinecone's account", DENIED, names, caller=OTHER_ROLE_OF_PINECONE),
        row(
            "from a role of Pinecone's account with another word in the name",
            DENIED,
            names,
            caller=pinecone("pinecone_import_access_us-east-1"),
        ),
        row(
            "from a role of Pinecone's account with something before the name",
            DENIED,
            names,
            caller=pinecone("not_pinecone_cmek_access_us-east-1"),
        ),
        row(
            "from a role of Pinecone's account with a letter less in the name",
            DENIED,
            names,
            caller=pinecone("pinecone_cmek_acces_us-east-1"),
        ),
        row(
            "from a role of Pinecone's account with the same name on a path",
            DENIED,
            names,
            caller=pinecone("team/pinecone_cmek_access_us-east-1"),
        ),
        row(
            "from a user of Pinecone's account with the role's name",
            DENIED,
            names,
            caller=Caller(f"arn:aws:iam::{PINECONE}:user/pinecone_cmek_access_us-east-1"),
        ),
        row("from Pinecone's root user", DENIED, names, caller=Caller(f"arn:aws:iam::{PINECONE}:root")),
        row(
            "from the root user of the role's own account",
            DENIED,
            aws.TRUST_IS_NEEDED,
            caller=Caller(f"arn:aws:iam::{CUSTOMER}:root"),
        ),
        row("from an administrator of the role's own account", DENIED, aws.TRUST_IS_NEEDED, caller=OWN_ADMIN),
        row(
            "from a role of Pinecone's name in the role's own account",
            DENIED,
            aws.TRUST_IS_NEEDED,
            caller=Caller(f"arn:aws:iam::{CUSTOMER}:role/pinecone_cmek_access_us-east-1"),
        ),
        row("from the role itself", DENIED, aws.TRUST_IS_NEEDED, caller=THE_ROLE),
        row("from an AWS service", DENIED, nobody, caller=Caller("ec2.amazonaws.com")),
        row("unsigned", DENIED, nobody, caller=Caller(None)),
        row("without leave of Pinecone's own account", DENIED, aws.BOTH_SIDES, own_policies=False),
    ]


NAMED_ALONE = outsiders(aws.ROLE_PRINCIPAL, aws.IMPLICIT_DENY)
MATCHING_ALONE = outsiders(aws.STRING_LIKE, aws.PRINCIPAL_ARN)

# Asked where there is no external ID: the requests of these actions have no such key.
OTHER_WAYS_IN: list[Row] = [
    row("with session tags", DENIED, aws.SESSION_TAGS, action="sts:TagSession"),
    row("with a source identity", DENIED, aws.SOURCE_IDENTITY, action="sts:SetSourceIdentity"),
    row("by SAML", DENIED, aws.OTHER_ACTIONS, action="sts:AssumeRoleWithSAML"),
    row("by a web identity", DENIED, aws.OTHER_ACTIONS, action="sts:AssumeRoleWithWebIdentity"),
]

WRONG_IDS: list[Row] = [
    row("with the ID of another customer", DENIED, aws.EXTERNAL_ID, external_id=OTHER_ID),
    row("without an ID", DENIED, aws.MISSING_KEY, external_id=None),
    row("with an empty ID", DENIED, aws.STRING_EQUALS, external_id=""),
    row("with the ID in capitals", DENIED, aws.STRING_EQUALS, external_id=EXTERNAL_ID.upper()),
    row("with the ID and more", DENIED, aws.STRING_EQUALS, external_id=f"{EXTERNAL_ID}0"),
    row("with a part of the ID", DENIED, aws.STRING_EQUALS, external_id=EXTERNAL_ID[:-1]),
    row("with a star for an ID", DENIED, aws.STRING_EQUALS, external_id="*"),
]

LISTED_ALONE: list[Row] = [
    row("from an unlisted region", DENIED, aws.ROLE_PRINCIPAL, caller=US_WEST_2),
    row(
        "from a role whose name goes on after that of a listed region",
        DENIED,
        aws.ROLE_PRINCIPAL,
        caller=pinecone("pinecone_cmek_access_us-east-10"),
    ),
]

ANY_REGION: list[Row] = [
    row("from another region", ALLOWED, aws.STRING_LIKE, caller=EU_WEST_1),
    row("from a region of the guide", ALLOWED, aws.STRING_LIKE, caller=US_WEST_2),
    row(
        "from a region that the guide does not list",
        ALLOWED,
        aws.STRING_LIKE,
        caller=pinecone("pinecone_cmek_access_sa-east-1"),
    ),
    # The breadth of the guide's pattern, all of it inside Pinecone's own account:
    row(
        "from a role of Pinecone's account that goes on after the prefix",
        ALLOWED,
        aws.STRING_LIKE,
        caller=pinecone("pinecone_cmek_access_us-east-1-staging"),
    ),
    row(
        "from a role of Pinecone's account on a path with the prefix",
        ALLOWED,
        aws.STRING_LIKE,
        caller=pinecone("pinecone_cmek_access_team/any"),
    ),
    row(
        "from a role of Pinecone's account that begins with a capital",
        DENIED,
        aws.STRING_LIKE,
        caller=pinecone("Pinecone_cmek_access_us-east-1"),
    ),
]

_RIGHT = {"caller": US_EAST_1, "action": ASSUME, "external_id": EXTERNAL_ID}

EXPLICIT_WITH_ID = Table(
    "Pinecone's role of a listed region assumes the role with the right ID",
    aws.EXTERNAL_ID,
    _RIGHT,
    [
        row("from the other listed region", ALLOWED, aws.ROLE_PRINCIPAL, caller=EU_WEST_1),
        *LISTED_ALONE,
        *NAMED_ALONE,
        *WRONG_IDS,
    ],
)

EXPLICIT_WITHOUT_ID = Table(
    "Pinecone's role of a listed region assumes the role",
    aws.ROLE_SESSION,
    {**_RIGHT, "external_id": None},
    [
        row("from the other listed region", ALLOWED, aws.ROLE_PRINCIPAL, caller=EU_WEST_1),
        row("with an ID that nobody asked for", ALLOWED, aws.EXTERNAL_ID_IS_OPTIONAL, external_id=OTHER_ID),
        *LISTED_ALONE,
        *NAMED_ALONE,
        *OTHER_WAYS_IN,
    ],
)

ALL_REGIONS = Table(
    "Pinecone's role of any region assumes the role with the right ID",
    aws.PRINCIPAL_ARN,
    _RIGHT,
    [*ANY_REGION, *MATCHING_ALONE, *WRONG_IDS],
)

ONE_REGION = Table(
    "Pinecone's role of the one region assumes the role with the right ID",
    aws.EXTERNAL_ID,
    _RIGHT,
    [
        row("from a region that other forms list", DENIED, aws.ROLE_PRINCIPAL, caller=EU_WEST_1),
        *LISTED_ALONE,
        *WRONG_IDS,
    ],
)

EVERY_REGION_OF_THE_GUIDE = Table(
    "Pinecone's role of us-east-1 assumes the role with the right ID",
    aws.EXTERNAL_ID,
    _RIGHT,
    [
        row("from us-west-2", ALLOWED, aws.ROLE_PRINCIPAL, caller=US_WEST_2),
        row("from eu-west-1", ALLOWED, aws.ROLE_PRINCIPAL, caller=EU_WEST_1),
        row("from eu-central-1", ALLOWED, aws.ROLE_PRINCIPAL, caller=pinecone("pinecone_cmek_access_eu-central-1")),
        row("from ap-southeast-1", ALLOWED, aws.ROLE_PRINCIPAL, caller=pinecone("pinecone_cmek_access_ap-southeast-1")),
        row(
            "from a region that the guide does not list",
            DENIED,
            aws.ROLE_PRINCIPAL,
            caller=pinecone("pinecone_cmek_access_sa-east-1"),
        ),
    ],
)

BRIEFLY = Table(
    "Pinecone's role of a listed region assumes the role with the right ID",
    aws.EXTERNAL_ID,
    _RIGHT,
    [
        row("from the other listed region", ALLOWED, aws.ROLE_PRINCIPAL, caller=EU_WEST_1),
        row("from an unlisted region", DENIED, aws.ROLE_PRINCIPAL, caller=US_WEST_2),
        row("with the ID of another customer", DENIED, aws.EXTERNAL_ID, external_id=OTHER_ID),
        row("without an ID", DENIED, aws.MISSING_KEY, external_id=None),
        row("from a stranger", DENIED, aws.ROLE_PRINCIPAL, caller=STRANGERS_NAMESAKE),
        row("from another role of Pinecone's account", DENIED, aws.ROLE_PRINCIPAL, caller=OTHER_ROLE_OF_PINECONE),
        row("from the role's own account", DENIED, aws.TRUST_IS_NEEDED, caller=OWN_ADMIN),
    ],
)
"""For forms whose trust policy is to be that of `EXPLICIT_WITH_ID`, whatever else they change."""


def suspension(form: str, while_suspended: str) -> list[tuple[str, Table]]:
    """A suspension that has no key policy to stand in closes the role to everybody."""
    return [
        (
            form,
            Table(
                f"Pinecone's role of {region} assumes the role with the right ID",
                aws.EXTERNAL_ID,
                {**_RIGHT, "caller": caller},
                [row("while suspended", EXPLICITLY_DENIED, aws.EXPLICIT_DENY, form=while_suspended)],
            ),
        )
        for region, caller in (("us-east-1", US_EAST_1), ("eu-west-1", EU_WEST_1))
    ]
