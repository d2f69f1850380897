"""A row for each value that a user may give, and what may not stand together.

Constructors, ``cmek.yaml``, its schema and the reference table are made of the rows. Pure Python: a row judges plain
values. A CDK object is made plain first (`constructs/cdk.py`): a role or a key is its ARN, a duration its days, an enum
its name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

from cmek_construct import checks, guide
from cmek_construct.guide import ALL_REGIONS, PINECONE_REGIONS, ROLE_NAME_PREFIX, KeyAccess, Regions
from cmek_construct.warnings import Notice, notice


class Prop(NamedTuple):
    """One value that a user may give."""

    name: str
    shape: str = ""  # its form and limits, in words
    says: str = ""  # what it does, and what a change of it does
    check: checks.Check = checks.anything  # its limits
    default: str = "none"  # in words; empty for what must be given
    left_out: Any = None  # the default itself
    cdk: str = ""  # what the constructors take, where it is no plain value; `cmek.yaml` has the plain one

    def does(self, says: str, check: checks.Check, **more: Any) -> Prop:
        """The row whole: what the prop does, its limits, and what else there is."""
        return self._replace(says=says, check=check, **more)

    def matches(self, says: str, form: str, allowed: str, way_out: str, **more: Any) -> Prop:
        """The row of a text that has a form from its beginning to its end."""
        return self.does(says, checks.matching(form, allowed, way_out), **more)

    @property
    def sentence(self) -> str:
        """All that a constructor says of it."""
        form = " of ".join(filter(None, [self.cdk and f"``{self.cdk}``", self.shape]))
        return f"{form}. {self.says}" + (f" Default: {self.default}." if self.default else "")


def _days(name: str, bounds: tuple[int, int], says: str, default: str = "none") -> Prop:
    least, most = bounds
    within = checks.within(
        lambda value: type(value) is int and least <= value <= most,
        f"AWS KMS takes {least} to {most:,} whole days",
        "Give a number of days in these bounds, or leave it out.",
    )
    return Prop(name, f"{least} to {most:,} whole days", says, within, default, cdk="cdk.Duration")


def _admins(parameter: str, value: object) -> None:
    """ARNs of roles, users or account roots, as many as a key policy has room for."""
    example = f"{checks.EXAMPLE}role/name"
    if not isinstance(value, list):
        checks.refuse(parameter, value, "it is a list of ARNs", f"Write one such as [{example}].")
    for index, one in enumerate(value):
        checks.arn(f"{parameter}[{index}]", one, checks.PRINCIPAL_ARN, example)
        if f":role/{ROLE_NAME_PREFIX}" in one:
            checks.refuse(f"{parameter}[{index}]", one, "Pinecone uses the key and does not rule it", "Leave it out.")
    least = checks.characters(guide.key_policy("0" * 12, example, KeyAccess.ENCRYPT_DECRYPT, admins=value))
    if least > checks.KEY_POLICY:
        what = f"the key policy then has {least:,} bytes or more, and KMS takes {checks.KEY_POLICY:,}"
        checks.refuse(parameter, len(value), what, "Name fewer, or a role that they assume.")


PINECONE_ACCOUNT_ID: Final = Prop("pinecone_account_id", "12 digits in a string", default="").does(
    "Pinecone's AWS account number, from the Pinecone console, Manage > CMEK > Add CMEK. There is no default.",
    checks.pinecone_account_id,
)
REGIONS: Final = Prop("regions", 'a list of regions such as ["us-east-1", "eu-west-1"], or `ALL_REGIONS`').does(
    "Whose Pinecone role may come in, rendered in this order; `PINECONE_REGIONS` has the guide's "
    "five. A change updates the trust policy in place.",
    checks.regions,
    default="",
)
EXTERNAL_ID: Final = Prop("external_id", "2 to 1,224 characters, by the guide a UUID v4").matches(
    "What Pinecone must present; needed with `ALL_REGIONS`. Never made at synth: make it once, and "
    "keep it; Pinecone cannot change it once the key is set.",
    rf"(?!(?i:X{{8}}(-X{{4}}){{3}}-X{{12}})$){checks.EXTERNAL_ID.pattern}",
    "an external ID is a string of 2 to 1,224 characters out of A-Z a-z 0-9 _ + = , . @ : / -, "
    "and not the placeholder of the guide",
    "Make a UUID v4 once (`cmek init` does, or `uuidgen`) and keep it.",
    default="none (it warns), for explicit regions only",
)
PIN_ACCOUNT: Final = Prop("pin_account", "bool", default="False", left_out=False).does(
    "With `ALL_REGIONS` alone: Pinecone's account root is the principal in place of the guide's "
    "``*``. The same callers get in, and a mistyped account number fails the deploy.",
    checks.flag,
)
WHO: Final = (REGIONS, EXTERNAL_ID, PIN_ACCOUNT)
TRUST: Final = (PINECONE_ACCOUNT_ID, *WHO)  # who of Pinecone may come in

GIVEN_ROLE: Final = Prop("role", default="a new one", cdk="iam.IRole").does(
    "Use this role. Its trust policy is yours and stays as it is; where it does not surely let "
    "Pinecone in as these props ask, a warning says the statement. Retain it where it is made.",
    checks.role_arn,
)
ROLE_NAME: Final = Prop("role_name", "1 to 64 characters", default="CloudFormation makes a unique one").matches(
    "A change makes another role, which Pinecone does not know.",
    r"[A-Za-z0-9_+=,.@-]{1,64}",
    "a role name has 1 to 64 characters out of A-Z a-z 0-9 _ + = , . @ -",
    "Shorten or mend it, or leave it out: CloudFormation then makes a unique name.",
)
ROLE_PATH: Final = Prop("role_path", "``/`` or ``/…/``, up to 512 characters", default="``/``").matches(
    "A change makes another role, which Pinecone does not know.",
    r"/|/[\x21-\x7e]{1,510}/",
    "a path begins and ends with a slash, without spaces, in 512 characters at most",
    "Write it like /security/pinecone/, or leave it out: the path is then /.",
)
PERMISSIONS_BOUNDARY: Final = Prop("permissions_boundary", cdk="iam.IManagedPolicy").does(
    "The most that the role may do, by the key policy too, so it must allow the actions on the "
    'key. Source: IAM user guide, "Permissions boundaries for IAM entities".',
    partial(checks.arn, form=checks.POLICY_ARN, example=f"{checks.EXAMPLE}policy/name"),
)
NEW_ROLE: Final = (ROLE_NAME, ROLE_PATH, PERMISSIONS_BOUNDARY)  # what shapes a role that is made here

GIVEN_KEY: Final = Prop("key", default="a new `PineconeKey`", cdk="kms.IKey").does(
    "Use this key, symmetric and for encryption. Where its policy can be changed from here, the "
    "role is added; for an imported key a warning says the statements. Retain it where it is made, "
    "in a stack that does not need this one: the key policy names the role.",
    checks.key_arn,
)
KEY_ACCESS: Final = Prop("key_access", left_out=KeyAccess.KEY_USER, cdk="KeyAccess").does(
    "What the key policy lets the role do.",
    checks.one_of(*KeyAccess.__members__, enum="KeyAccess"),
    default="`KeyAccess.KEY_USER`, what the guide makes a person click",
)
KEY_ADMINS: Final = Prop("key_admins", cdk="list[iam.IPrincipal]").does(
    "Principals that the key policy names as key administrators, with the actions of the KMS "
    "console. Unlike the L2's ``admins``, which may write to their IAM policies.",
    _admins,
    default="none, as in the guide; the account's root is always there",
)
ALIAS: Final = Prop("alias", "up to 256 characters").matches(
    "``alias/`` is added where it is missing. A change makes another alias for the same key.",
    r"(?!(alias/)?aws/|alias/\Z)(alias/)?[A-Za-z0-9/_-]{1,250}",
    "an alias has up to 256 characters with its alias/, out of A-Z a-z 0-9 / _ -, and alias/aws/ belongs to AWS",
    "Write it like alias/pinecone, or leave it out: the default is unique.",
    default="``alias/pinecone-cmek/`` and a name that is unique by the construct's path",
)
REMOVAL_POLICY: Final = Prop("removal_policy", cdk="cdk.RemovalPolicy").does(
    "Of what is made here, when it leaves the template. ``DESTROY`` schedules the deletion of the key, and with it of "
    "all that was encrypted; a role made again under its name is another one to every policy that named it.",
    checks.one_of("RETAIN_ON_UPDATE_OR_DELETE", "RETAIN", "DESTROY", enum="RemovalPolicy"),
    default="``RETAIN_ON_UPDATE_OR_DELETE``: kept, except when its first deployment fails",
)
SUSPENDED: Final = Prop("suspended", "bool", default="False", left_out=False).does(
    "True cuts Pinecone off by one statement that denies the role everything on the key and "
    "changes nothing else; False takes it away. Grants that the role made outlive it, and "
    "Pinecone may go on for some time with data keys that it has cached; how long is not known.",
    checks.flag,
)

NEW_KEY: Final = (  # what shapes a key that is made here, in whichever construct
    ALIAS,
    Prop("description", "up to 8,192 characters").matches(
        "Of the key.", r"(?s:.){0,8192}", "it is a string of up to 8,192 characters", "Shorten it, or leave it out."
    ),
    Prop("enable_key_rotation", "bool", default="True").does(
        "False stops the yearly new key material; the key ARN, which Pinecone stores, never changes by it.", checks.flag
    ),
    _days("rotation_period", (90, 2_560), "Between two rotations.", "KMS's 365 days"),
    Prop("multi_region", "bool", default="False, as in step 2.7 of the guide").does(
        "True makes a multi-Region primary key, for good. Pinecone takes one key ARN per project, "
        "so a replica helps only with Pinecone's support.",
        checks.flag,
    ),
    _days(
        "pending_window", checks.PENDING_WINDOW_DAYS, "Between an order to delete the key and its end.", "KMS's 30 days"
    ),
    _days(
        "protect_used_key",
        (1, 365),
        "The key policy denies everybody to disable the key, or to order its deletion, as long as "
        "it was used within them. It stops a mistake, not who may change the policy; a key that "
        "was never used is not held. `suspended` works as ever.",
    ),
)
KEY: Final = (KEY_ACCESS, *NEW_KEY, REMOVAL_POLICY, SUSPENDED)  # what is said of a key, its access first
_BY_TRUST: Final = (
    f"{SUSPENDED.says} Where the key is imported, everybody is denied to assume the role instead: a session that runs "
    "goes on to its end, an hour at most, unless you add the statement of the warning to the key policy."
)
# What `PineconeCmek` takes
CMEK: Final = (*TRUST, GIVEN_ROLE, *NEW_ROLE, GIVEN_KEY, KEY_ADMINS, *KEY[:-1], SUSPENDED._replace(says=_BY_TRUST))
# What has no place beside a role or a key that is given
SHAPING: Final = {"role": NEW_ROLE, "key": (KEY_ADMINS, *NEW_KEY), "role and key": (REMOVAL_POLICY,)}


def contradictions(props: Mapping[str, Any]) -> Iterator[ValueError]:
    """A period of a rotation that is off; and what shapes a new role or key, beside one that is given."""
    if props.get("enable_key_rotation") is False and props["rotation_period"] is not None:
        yield ValueError(
            "rotation_period: got a period with enable_key_rotation=False, but a key that does not rotate has none. "
            "Leave out one of the two."
        )
    for what, rows in SHAPING.items():
        is_given = all(props.get(one) is not None for one in what.split(" and "))
        for row in rows if is_given else ():
            if props.get(row.name) is not None:
                yield ValueError(
                    f"{row.name}: got {checks.shown(props[row.name])} together with {what}=, but {row.name} only "
                    f"shapes a {what} that is made here. Leave out {row.name} and set it where your {what} is made, "
                    f"or leave out {what}."
                )


@dataclass(frozen=True)
class Trust:
    """Who of Pinecone may come in."""

    account_id: str
    regions: Regions
    external_id: str | None = None
    pin_account: bool = False

    def problems(self) -> Iterator[ValueError]:
        """What the parameters, each right by itself, may not say together."""
        if self.regions is ALL_REGIONS and self.external_id is None:
            yield ValueError(
                "external_id: got None with regions=ALL_REGIONS, but the guide's third trust policy has an external "
                "ID: without one, Pinecone's role of every region comes in for whoever names your role. Give a UUID "
                "v4, or list the regions."
            )
        if self.regions is not ALL_REGIONS and self.pin_account:
            yield ValueError(
                "pin_account: got True with explicit regions, but it only replaces the * principal of "
                "regions=ALL_REGIONS. Leave it out: explicit regions name the account already."
            )
        size = self.known_size()
        if size > checks.TRUST_POLICY_LIMIT:
            yield ValueError(
                f"regions: got a trust policy of {size:,} characters, but IAM takes {checks.TRUST_POLICY_LIMIT:,} at "
                f"most (by default {checks.TRUST_POLICY_QUOTA:,}). List fewer regions, shorten the external ID, or use "
                "ALL_REGIONS with an external ID."
            )

    def known_size(self, *, suspended: bool = False) -> int:
        """The least that IAM will count: a token is as short as its value can be."""
        shortest = self.without_tokens("0" * 12, "xx-xxxx-1", "00")
        brackets = 2 if len(self._listed()) == 1 else 0  # a list of one is written as a string
        return checks.characters(guide.trust_policy(**vars(shortest), suspended=suspended)) - brackets

    def without_tokens(self, account_id: str, region: str, external_id: str) -> Trust:
        """The same with these in the places of tokens."""

        def known(own: str, name: str) -> str:
            return name if checks.is_unknown(own) else own

        regions = [known(own, region) for own in self._listed()] or self.regions
        its_id = self.external_id and known(self.external_id, external_id)
        return Trust(known(self.account_id, account_id), regions, its_id, self.pin_account)

    def _listed(self) -> list[str]:
        return [] if self.regions is ALL_REGIONS else list(self.regions)

    def key_notices(self, key_region: str | None) -> Iterator[Notice]:
        """What is unusual about a key in this region."""
        listed = self._listed()
        if listed and key_region not in (None, *listed) and not any(map(checks.is_unknown, listed)):
            yield notice("key-region-not-in-regions", key_region=key_region, regions=", ".join(listed))

    def notices(self, own_account: str | None, *, suspended: bool = False) -> Iterator[Notice]:
        """What may be right and is unusual, in a stack of this account; ``suspended``: with a denial of everybody."""
        if self.account_id == own_account:
            yield notice("pinecone-account-is-own", account=own_account)
        elif re.fullmatch(r"\$\{Token\[AWS\.AccountId\.[0-9]+\]\}", self.account_id):
            yield notice("pinecone-account-is-own", account="cdk.Aws.ACCOUNT_ID")
        for region in self._listed():
            if region not in PINECONE_REGIONS and not checks.is_unknown(region):
                yield notice("region-not-in-guide", region=region, listed=", ".join(PINECONE_REGIONS))
        if self.external_id is None:
            yield notice("no-external-id")
        elif not checks.is_unknown(self.external_id) and not checks.UUID_V4.fullmatch(self.external_id):
            yield notice("external-id-not-uuid-v4", external_id=self.external_id)
        size = self.known_size(suspended=suspended)
        if size > checks.TRUST_POLICY_QUOTA:
            yield notice("trust-policy-over-quota", size=size, quota=checks.TRUST_POLICY_QUOTA)
