"""Role, key, alias and outputs for one Pinecone project."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import import_module

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct, IConstruct
from typing_extensions import Unpack

from cmek_construct import checks, guide, props
from cmek_construct.constructs import cdk as ours
from cmek_construct.constructs.key import KeyShape, PineconeKey, of_two_accounts
from cmek_construct.constructs.role import CmekRole, TrustProps, deny_assume_role, trust_of
from cmek_construct.props import Trust
from cmek_construct.warnings import notice


class CmekProps(TrustProps, KeyShape, total=False):
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

    @ours.takes(CmekProps, props.CMEK)
    def __init__(self, scope: Construct, construct_id: str, **own: Unpack[CmekProps]) -> None:
        """Make role, key, alias and outputs."""
        environment = ours.environment_of(scope)
        trust = trust_of(own["pinecone_account_id"], own)
        role, key = own["role"], own["key"]
        suspended_by_trust = own["suspended"] and key is not None and ours.resource_of(key) is None
        if suspended_by_trust and role is not None and ours.resource_of(role) is None:
            denial = json.dumps(guide.key_denial(ours.readable_arn(role, "RoleArn")))
            raise checks.refusal("role and key", "both-imported", denial=denial)

        super().__init__(scope, construct_id)
        self._pinecone_environment = environment
        if role is None:
            shape = ours.some_of(own, (props.ROLE_NAME, props.PERMISSIONS_BOUNDARY, props.REMOVAL_POLICY))
            shape |= {"path": own["role_path"], "suspended": suspended_by_trust}
            self.role = CmekRole(self, "Role", environment=environment, trust=trust, **shape)
        else:
            self.role = role
            ours.warn(self, trust.notices(environment.account))
            judge, resource = _GivenRole(self, trust), ours.resource_of(role)
            if resource is None:
                judge.warn()
            else:  # judged when the app is done with it
                cdk.Aspects.of(resource).add(judge, priority=cdk.AspectPriority.READONLY)
            if suspended_by_trust and isinstance(role, iam.Role):
                deny_assume_role(role)
        if key is None:
            shape = ours.some_of(own, props.KEY)
            self.key = PineconeKey(self, "Key", role=self.role, admins=own["key_admins"], **shape)
        else:
            self.key = key
            self._let_role_use(key, own["key_access"], own["suspended"])
        ours.warn(self, trust.key_notices(ours.environment_of(self.key).region))
        ours.dialog_output(self, "RoleArn", "Role ARN", ours.arn_of(self.role), of=role)
        ours.dialog_output(self, "KeyArn", "Key ARN", ours.arn_of(self.key), of=key)
        if own["external_id"] is not None:
            ours.dialog_output(self, "ExternalId", "External ID", own["external_id"])

    def _let_role_use(self, key: kms.IKey, key_access: guide.KeyAccess, suspended: bool) -> None:
        """Let the role use a key that is there already, or say what its policy must say."""
        resource = ours.resource_of(key)
        arn = ours.readable_arn(self.role, "RoleArn") if resource is None else ours.arn_of(self.role)
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


@jsii.implements(cdk.IAspect)
class _GivenRole:
    """Warns of a role of the app that the template would not keep, or that does not surely let Pinecone in."""

    def __init__(self, cmek: Construct, trust: Trust) -> None:
        self._cmek, self._trust = cmek, trust

    def visit(self, node: IConstruct) -> None:
        assert isinstance(node, iam.CfnRole)
        if node.cfn_options.deletion_policy in (None, cdk.CfnDeletionPolicy.DELETE):
            ours.warn(self._cmek, [notice("role-not-retained")])
        # By its name: what a policy means is none of what makes a template. One who gives a role of the app asks it,
        # and nobody else waits for it.
        meaning = import_module("cmek_construct.policy.comparing")
        need = guide.trust_policy(**vars(self._trust))
        if not meaning.surely_allows(*cdk.Stack.of(node).resolve([node.assume_role_policy_document, need])):
            self.warn()

    def warn(self) -> None:
        readable = self._trust.without_tokens("<pinecone_account_id>", "<region>", "<output ExternalId>")
        ours.warn(self._cmek, [notice("role-trust-policy", statement=guide.trust_statement(**vars(readable)))])
