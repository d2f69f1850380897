"""Role, key, alias and outputs for one Pinecone project."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from cmek_construct import arns, checks, given, guide, inputs, notices
from cmek_construct.environment import (
    environment_of,
    environment_of_resource,
    in_two_accounts,
    remember,
)
from cmek_construct.guide import KeyAccess, Regions
from cmek_construct.key import PineconeKey, check_key_props
from cmek_construct.outputs import dialog_output
from cmek_construct.role import PineconeRole
from cmek_construct.trust import Trust
from cmek_construct.warn import warn


class PineconeCmek(Construct):
    """What one Pinecone project needs in AWS to be encrypted with your key.

    Makes the role of step 1 of Pinecone's guide, the key and alias of step 2, and outputs for
    the fields of the "Add CMEK" dialog: Role ARN, Key ARN and External ID. In Pinecone none of
    the three can be changed once set, so role and key are retained whatever happens to the
    stack.
    """

    role: iam.IRole
    """The role that Pinecone assumes: a `PineconeRole`, or the one that was given."""

    key: kms.IKey
    """The key that Pinecone uses: a `PineconeKey`, or the one that was given."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pinecone_account_id: str,
        regions: Regions,
        external_id: str | None = None,
        pin_account: bool = False,
        role: iam.IRole | None = None,
        role_name: str | None = None,
        role_path: str | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        key: kms.IKey | None = None,
        key_access: KeyAccess = KeyAccess.KEY_USER,
        key_admins: Sequence[iam.IPrincipal] | None = None,
        alias: str | None = None,
        description: str | None = None,
        enable_key_rotation: bool | None = None,
        rotation_period: cdk.Duration | None = None,
        multi_region: bool | None = None,
        pending_window: cdk.Duration | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
        suspended: bool = False,
    ) -> None:
        """Make role, key, alias and outputs.

        Args:
            scope: the construct in which they are made.
            construct_id: its id there. The logical IDs of role and key follow from both: a
                change makes new ones, which Pinecone does not know.
            pinecone_account_id: Pinecone's AWS account number, a string of 12 digits, from the
                Pinecone console, Manage > CMEK > Add CMEK. There is no default.
            regions: the AWS regions whose Pinecone role may come in, such as
                ``["us-east-1", "eu-west-1"]``, rendered in this order; or `ALL_REGIONS`. A
                change updates the trust policy in place.
            external_id: what Pinecone must present, 2 to 1,224 characters, by the guide a
                UUID v4. Default: none (it warns), for explicit regions only. Never made at
                synth: make it once, and keep it.
            pin_account: with `ALL_REGIONS` alone: Pinecone's account root is the principal in
                place of the guide's ``*``. The same callers get in, and a mistyped account
                number fails the deploy. Default: False.
            role: use this role. Its trust policy is yours and stays as it is; where the guide's
                statement is not seen in it, a warning says it. Retain it where it is made.
                Default: a new `PineconeRole`.
            role_name: 1 to 64 characters. Default: CloudFormation makes a unique one. A change
                makes another role, which Pinecone does not know.
            role_path: ``/`` or ``/…/``, up to 512 characters. Default: ``/``. A change makes
                another role, which Pinecone does not know.
            permissions_boundary: the most that the role may do, by the key policy too, so it must
                allow the actions on the key. Default: none.
            key: use this key, symmetric and for encryption. Where its policy can be changed from
                here, the role is added; for an imported key a warning says the statements. Retain
                it where it is made, in a stack that does not need this one: the key policy names
                the role. Default: a new `PineconeKey`.
            key_access: what the key policy lets the role do. Default: `KeyAccess.KEY_USER`, what
                the guide makes a person click.
            key_admins: principals that the key policy names as key administrators. Default:
                none; the account's root is always there.
            alias: of the key, up to 256 characters; ``alias/`` is added where it is missing.
                Default: ``alias/pinecone-cmek/`` and a name that is unique by the construct's
                path. A change makes another alias for the same key.
            description: of the key, up to 8,192 characters. Default: none.
            enable_key_rotation: False stops the yearly new key material, which never changes the
                key ARN. Default: True.
            rotation_period: 90 to 2,560 whole days. Default: KMS's 365 days.
            multi_region: True makes a multi-Region primary key, for good. Default: False, as in
                step 2.7 of the guide.
            pending_window: 7 to 30 whole days between an order to delete the key and its end.
                Default: KMS's 30 days.
            removal_policy: of what is made here, when it leaves the template. Default:
                ``RETAIN_ON_UPDATE_OR_DELETE``: kept, except when its first deployment fails.
            suspended: True cuts Pinecone off by one statement that denies the role everything on
                the key and changes nothing else. Where the key is imported, everybody is denied
                to assume the role instead: a session that runs goes on to its end, an hour at
                most, unless you add the statement of the warning to the key policy. Grants that
                the role made outlive it, and Pinecone's cached data keys live some minutes.
                Default: False.

        Raises:
            ValueError: a value is outside its limits, or two contradict each other; nothing was
                built.
        """
        environment = environment_of(scope)
        trust = Trust(pinecone_account_id, regions, external_id, pin_account)
        trust.check()
        checks.role_name("role_name", role_name)
        checks.role_path("role_path", role_path)
        key_props: dict[str, Any] = {
            "alias": alias,
            "description": description,
            "enable_key_rotation": enable_key_rotation,
            "rotation_period": rotation_period,
            "multi_region": multi_region,
            "pending_window": pending_window,
        }
        check_key_props(**key_props)
        inputs.permissions_boundary(permissions_boundary)
        inputs.key_access(key_access)
        inputs.admins("key_admins", key_admins)
        inputs.removal_policy(removal_policy)
        checks.flag("suspended", suspended)
        if role is not None:
            inputs.role(role)
        if key is not None:
            inputs.key(key)
        given_props = {
            **key_props,
            "key": key,
            "key_admins": key_admins,
            "role": role,
            "role_name": role_name,
            "role_path": role_path,
            "permissions_boundary": permissions_boundary,
            "removal_policy": removal_policy,
        }
        checks.first(checks.given(given_props), _suspended_in_vain(role, key, suspended))

        super().__init__(scope, construct_id)
        remember(self, environment)
        key_is_imported = key is not None and inputs.resource_of(key) is None
        if role is None:
            self.role = PineconeRole(
                self,
                "Role",
                pinecone_account_id=pinecone_account_id,
                regions=regions,
                external_id=external_id,
                pin_account=pin_account,
                role_name=role_name,
                path=role_path,
                permissions_boundary=permissions_boundary,
                removal_policy=removal_policy,
                suspended=suspended and key_is_imported,
            )
        else:
            self.role = role
            warn(self, [*given.trust_notices(role, trust), *trust.notices(environment.account)])
            if suspended and key_is_imported and inputs.is_made_here(role):
                given.deny_assume_role(role)
        if key is None:
            self.key = PineconeKey(
                self,
                "Key",
                role=self.role,
                key_access=key_access,
                admins=key_admins,
                removal_policy=removal_policy,
                suspended=suspended,
                **key_props,
            )
        else:
            self.key = key
            self._let_role_use(key, key_access, suspended)
        warn(self, trust.key_notices(environment_of_resource(self.key).region))
        self._outputs(external_id, own_role=role is None, own_key=key is None)

    def _let_role_use(self, key: kms.IKey, key_access: KeyAccess, suspended: bool) -> None:
        imported = inputs.resource_of(key) is None
        role_arn = arns.role_arn(self.role)
        if imported:
            role_arn = arns.readable(role_arn, "RoleArn")
        statements = guide.role_statements(role_arn, key_access, suspended=suspended)
        if imported:
            warn(self, [notices.key_policy(statements)])
        else:
            given.add_to_key_policy(key, statements, of=self)
        if in_two_accounts(environment_of_resource(self.role), environment_of_resource(key)):
            key_arn = arns.readable(arns.key_arn(key), "KeyArn")
            permissions = guide.role_permissions(key_arn, key_access)
            warn(self, [notices.role_in_another_account(permissions)])

    def _outputs(self, external_id: str | None, *, own_role: bool, own_key: bool) -> None:
        """One output per field of the dialog, in the stack of what it names."""
        fields = [
            ("RoleArn", "Role ARN", arns.role_arn(self.role), self if own_role else self.role),
            ("KeyArn", "Key ARN", arns.key_arn(self.key), self if own_key else self.key),
        ]
        if external_id is not None:
            fields.append(("ExternalId", "External ID", external_id, self))
        for name, label, value, named in fields:
            scope: Construct = self
            if named is not self and cdk.Stack.of(named) is not cdk.Stack.of(self):
                scope, name = cdk.Stack.of(named), cdk.Names.unique_id(self) + name
            dialog_output(scope, name, label, value)


def _suspended_in_vain(
    role: iam.IRole | None, key: kms.IKey | None, suspended: bool
) -> Iterator[ValueError]:
    if not suspended or role is None or key is None:
        return
    if not inputs.is_made_here(role) and inputs.resource_of(key) is None:
        yield ValueError(
            "suspended: got True, but role and key are both imported, so neither policy can be "
            "changed from here and Pinecone would not be cut off. Add to the key policy, by hand: "
            + json.dumps(guide.key_denial(arns.readable(arns.role_arn(role), "RoleArn")))
        )
