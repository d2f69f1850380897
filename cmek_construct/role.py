"""The role that Pinecone assumes."""

from __future__ import annotations

import json
from collections.abc import Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from cmek_construct import asked_for, checks, given, inputs, limits
from cmek_construct.customers import Customers
from cmek_construct.environment import environment_of, remember
from cmek_construct.guide import Regions, assume_role_denial
from cmek_construct.principal import PineconePrincipal
from cmek_construct.trust import Trust
from cmek_construct.warn import warn


class PineconeRole(iam.Role):
    """An `iam.Role` with the guide's trust policy (step 1).

    For a key of your own account it has no permissions policy: the key policy lets the role in. For
    keys that your customers own it has the statements of the guide's second tab, "Grant access to
    keys outside your account", and each customer's key policy must let the role in as well
    (`CustomerKey`, or ``cmek customer-kit``). Every method and attribute of `iam.Role` works.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        pinecone_account_id: str,
        regions: Regions,
        external_id: str | None = None,
        pin_account: bool = False,
        role_name: str | None = None,
        path: str | None = None,
        description: str | None = None,
        permissions_boundary: iam.IManagedPolicy | None = None,
        removal_policy: cdk.RemovalPolicy | None = None,
        suspended: bool = False,
        customer_account_ids: Sequence[str] = (),
        customer_key_arns: Sequence[str] = (),
    ) -> None:
        """Make the role.

        Args:
            scope: the construct in which the role is made.
            construct_id: its id there. The logical ID of the role follows from both.
            pinecone_account_id: Pinecone's AWS account number, a string of 12 digits, from the
                Pinecone console, Manage > CMEK > Add CMEK. There is no default.
            regions: the AWS regions whose Pinecone role may come in, such as
                ``["us-east-1", "eu-west-1"]``; or `ALL_REGIONS`. A change updates the trust
                policy in place.
            external_id: what Pinecone must present, 2 to 1,224 characters, by the guide a
                UUID v4. Default: none (it warns). Pinecone cannot change it once the key is set.
            pin_account: with `ALL_REGIONS` alone: Pinecone's account root is the principal in
                place of ``*``. Default: False.
            role_name: 1 to 64 characters. Default: CloudFormation makes a unique one. A change
                makes another role, which Pinecone does not know.
            path: ``/`` or ``/…/``, up to 512 characters. Default: ``/``. A change makes another
                role, which Pinecone does not know.
            description: up to 1,000 characters. Default: none.
            permissions_boundary: the most that the role may do, by the key policy too, so it must
                allow the actions on the key. Default: none. Source: IAM user guide, "Permissions
                boundaries for IAM entities".
            removal_policy: what becomes of the role when it leaves the template. Default:
                ``RETAIN_ON_UPDATE_OR_DELETE``. ``DESTROY`` deletes it, and a role made again
                under its name is another one to every policy that named it.
            suspended: True denies everybody to assume the role, in the trust policy. It does not
                end a session that runs, an hour at most. Default: False.
            customer_account_ids: AWS accounts of customers, strings of 12 digits, in any order:
                the role may encrypt and decrypt with every key there whose key policy lets it in.
                Default: none. Who comes or goes changes one statement in one managed policy,
                chosen by the account ID's last digit: 48 fit in each, 480 in all, and random IDs
                fill one of them at some 300 to 400. The policies go with the stack, the role
                stays.
            customer_key_arns: ARNs of single keys of customers,
                ``arn:aws:kms:<region>:<account>:key/<id>``, in place of all keys of their
                accounts. Default: none.

        Raises:
            ValueError: a value is outside its limits, and nothing was built; or ``suspended`` is
                asked of a role that `Role.customize_roles` keeps out of the app.
        """
        environment = environment_of(scope)
        trust = Trust(pinecone_account_id, regions, external_id, pin_account)
        trust.check()
        checks.role_name("role_name", role_name)
        checks.role_path("path", path)
        checks.text("description", description, limits.ROLE_DESCRIPTION)
        checks.flag("suspended", suspended)
        customers = Customers(customer_account_ids, customer_key_arns)
        customers.check(environment.account, pinecone_account_id)
        inputs.permissions_boundary(permissions_boundary)
        inputs.removal_policy(removal_policy)
        super().__init__(
            scope,
            construct_id,
            assumed_by=PineconePrincipal(
                pinecone_account_id,
                regions=regions,
                external_id=external_id,
                pin_account=pin_account,
            ),
            role_name=role_name,
            path=path,
            description=description,
            permissions_boundary=permissions_boundary,
        )
        remember(self, environment)
        self.apply_removal_policy(removal_policy or inputs.RETAIN)
        asked_for.acknowledge(self, asked_for.of_role(removal_policy))
        if suspended and not inputs.is_made_here(self):
            raise ValueError(
                "suspended: got True, but Role.customize_roles keeps this role out of the app, so "
                "nobody would be cut off. Add to its trust policy, by hand: "
                + json.dumps(assume_role_denial())
            )
        if suspended:
            given.deny_assume_role(self)
        for digit, policy in customers.policies().items():
            # No description and no name: a change of either would replace the policy.
            iam.ManagedPolicy(
                self,
                f"CustomersEndingIn{digit}",
                document=iam.PolicyDocument.from_json(policy),
                roles=[self],
            )
        warn(self, trust.notices(environment.account, suspended=suspended))
