"""Role, key, alias and outputs for one Pinecone project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct

from cmek_construct import checks, guide, props
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.key import KeyShape, PineconeKey, of_two_accounts
from cmek_construct.constructs.principal import TrustProps, trust_of
from cmek_construct.constructs.role import CmekRole, deny_assume_role
from cmek_construct.trust import Trust
from cmek_construct.warnings import notice

if TYPE_CHECKING:
    from typing_extensions import Unpack


class CmekProps(TrustProps, KeyShape, total=False):
    """The types of `props.CMEK`."""

    role: iam.IRole | iam.Role | None
    role_name: str | None
    role_path: str | None
    permissions_boundary: iam.IManagedPolicy | None
    key: kms.IKey | kms.Key | None
    key_admins: Sequence[iam.IPrincipal | iam.PrincipalBase | iam.Role | iam.User] | None
    removal_policy: cdk.RemovalPolicy | None


class PineconeCmek(Construct):
    """What one Pinecone project needs in AWS to be encrypted with your key.

    Makes the role of step 1 of Pinecone's guide, the key and alias of step 2, and outputs for the fields of the "Add
    CMEK" dialog: Role ARN, Key ARN and External ID. In Pinecone none of the three can be changed once set, so role and
    key are retained when the stack is deleted or would replace them; only what a first deployment that fails has made
    goes with it.
    """

    role: iam.IRole
    """The role that Pinecone assumes: an `iam.Role` made here, or the one that was given.

    For what `iam.Role` has and `iam.IRole` has not, ask ``isinstance(cmek.role, iam.Role)`` first.
    """

    key: kms.IKey
    """The key that Pinecone uses: a `PineconeKey`, or the one that was given.

    For what `kms.Key` has and `kms.IKey` has not, ask ``isinstance(cmek.key, kms.Key)`` first.
    """

    @ours.described(CmekProps, props.CMEK)
    def __init__(self, scope: Construct, construct_id: str, **given: Unpack[CmekProps]) -> None:
        """Make role, key, alias and outputs.

        Args:
            scope: the construct in which they are made.
            construct_id: its id there. The logical IDs of role and key follow from both: a change makes new ones, which
                Pinecone does not know.

        Raises:
            ValueError: a value is outside its limits, or two contradict each other; nothing was built.
        """
        environment = ours.environment_of(scope)
        own = ours.settled("PineconeCmek", given, props.CMEK)
        trust = trust_of(own)
        role, key, suspended = own["role"], own["key"], own["suspended"]
        checks.first(props.rotation(own), props.beside(given), _suspended_in_vain(role, key, suspended))

        super().__init__(scope, construct_id)
        self._pinecone_environment = environment
        suspended_by_trust = suspended and key is not None and ours.resource_of(key) is None
        if role is None:
            self.role = CmekRole(
                self,
                "Role",
                environment=environment,
                trust=trust,
                role_name=own["role_name"],
                path=own["role_path"],
                permissions_boundary=own["permissions_boundary"],
                removal_policy=own["removal_policy"],
                suspended=suspended_by_trust,
            )
        else:
            self.role = role
            ours.warn(self, trust.notices(environment.account))
            judged = _GivenRole(self, role, trust)
            if ours.is_made_here(role) and role.node.default_child:
                last = cdk.AspectPriority.READONLY
                cdk.Aspects.of(role.node.default_child).add(judged, priority=last)
            else:
                judged.warn_of_trust()
            if suspended_by_trust and isinstance(role, iam.Role):
                deny_assume_role(role)
        if key is None:
            shape = ours.some_of(own, props.KEY)
            self.key = PineconeKey(self, "Key", role=self.role, admins=own["key_admins"], **shape)
        else:
            self.key = key
            self._let_role_use(key, own["key_access"], suspended)
        ours.warn(self, trust.key_notices(ours.environment_of(self.key).region))
        self._outputs(own)

    def _let_role_use(self, key: kms.IKey, key_access: guide.KeyAccess, suspended: bool) -> None:
        """Let the role use a key that is there already, or say what its policy must say."""
        resource = ours.resource_of(key)
        arn = ours.arn_of(self.role)
        if resource is None:
            arn = ours.readable(arn, "RoleArn")
        statements = guide.role_statements(arn, key_access, suspended=suspended)
        if resource is None:
            ours.warn(self, [notice("key-policy", statements=statements)])
        else:
            document = cdk.Stack.of(key).resolve(resource.key_policy) or {}
            sids = {one.get("Sid") for one in document.get("Statement", ())}
            for one in statements:
                if one["Sid"] in sids:  # of another construct of ours: a Sid stands once
                    one["Sid"] += f" for {cdk.Names.unique_id(self)}"
                key.add_to_resource_policy(iam.PolicyStatement.from_json(one))
        ours.warn(self, of_two_accounts(self.role, key, key_access))

    def _outputs(self, own: CmekProps) -> None:
        """One output per field of the dialog, in the stack of what it names."""
        fields: list[tuple[str, str, str, Any]] = [
            ("RoleArn", "Role ARN", ours.arn_of(self.role), own["role"]),
            ("KeyArn", "Key ARN", ours.arn_of(self.key), own["key"]),
        ]
        if own["external_id"] is not None:
            fields.append(("ExternalId", "External ID", own["external_id"], None))
        for name, label, value, given in fields:
            scope: Construct = self
            if given is not None and cdk.Stack.of(given) is not cdk.Stack.of(self):
                scope, name = cdk.Stack.of(given), cdk.Names.unique_id(self) + name
            ours.dialog_output(scope, name, label, value)


@jsii.implements(cdk.IAspect)
class _GivenRole:
    """Judges a role that is given: one of the app when the app is done with it."""

    def __init__(self, cmek: Construct, role: iam.IRole, trust: Trust) -> None:
        self._cmek, self._role, self._trust = cmek, role, trust

    def visit(self, node: IConstruct) -> None:
        """Warn of what the template would not keep, and of what does not surely let Pinecone in."""
        assert isinstance(node, iam.CfnRole)
        if node.cfn_options.deletion_policy in (None, cdk.CfnDeletionPolicy.DELETE):
            ours.warn(self._cmek, [notice("role-not-retained")])
        # By its name: what a policy means is none of what makes a template. One who gives a role of the app asks it,
        # and nobody else waits for it.
        meaning = import_module("cmek_construct.policy.comparing")
        need = guide.trust_policy(**vars(self._trust))
        both = cdk.Stack.of(node).resolve([node.assume_role_policy_document, need])
        if not meaning.surely_allows(*both):
            self.warn_of_trust()

    def warn_of_trust(self) -> None:
        """Say the statement that is not seen in its trust policy."""
        statement = self._trust.readable().statement()
        ours.warn(self._cmek, [notice("role-trust-policy", statement=statement)])


def _suspended_in_vain(
    role: iam.IRole | iam.Role | None, key: kms.IKey | None, suspended: bool
) -> Iterator[ValueError]:
    if not suspended or role is None or key is None:
        return
    if not ours.is_made_here(role) and ours.resource_of(key) is None:
        denial = guide.key_denial(ours.readable(ours.arn_of(role), "RoleArn"))
        yield ValueError(
            "suspended: got True, but role and key are both imported, so neither policy can be "
            "changed from here and Pinecone would not be cut off. Add to the key policy, by hand: " + json.dumps(denial)
        )
