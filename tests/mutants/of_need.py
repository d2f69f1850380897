"""Policies that shut Pinecone out, surely or maybe, and names of who is no more."""

from __future__ import annotations

from tests.forms import REGION
from tests.mutants.made import (
    ROOT,
    USE,
    Template,
    add,
    deny,
    grant,
    key_policy,
    mutant,
    resource_id,
    role,
    role_arn,
    trust,
    trust_policy,
)

DELETED = "AROAJ2UCCR6DPCEXAMPLE"


def _deny_role(template: Template, **members: object) -> None:
    statement = deny({"AWS": role_arn(template)}, "kms:Decrypt", **members)
    key_policy(template).append(statement)


def _own(template: Template, **members: object) -> object:
    return role(template).update(Policies=[grant(Effect="Deny", **members)])


def _bounded(template: Template, **members: object) -> None:
    document = grant(Action="*", **members)["PolicyDocument"]
    add(template, "Boundary", "IAM::ManagedPolicy", PolicyDocument=document)
    role(template).update(PermissionsBoundary={"Ref": "Boundary"})


for words, rule, edit in (
    ("the role may encrypt alone", "pinecone-locked-out", lambda t: key_policy(t)[USE].update(Action=["kms:Encrypt"])),
    (
        "the role may use the key through S3 alone",
        "pinecone-locked-out",
        lambda t: key_policy(t)[USE].update(
            Condition={"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
        ),
    ),
    ("decryption denied to the role", "pinecone-locked-out", _deny_role),
    ("decryption denied to everybody", "pinecone-locked-out", lambda t: key_policy(t).append(deny("*", "kms:Decrypt"))),
    (
        "a denial of the role's own",
        "pinecone-locked-out",
        lambda t: role(t).update(Policies=[grant(Effect="Deny", Action="kms:*")]),
    ),
    (
        "a denial of the role's own, unless S3 calls",
        "pinecone-locked-out",
        lambda t: role(t).update(
            Policies=[
                grant(
                    Effect="Deny",
                    Action="kms:Decrypt",
                    Condition={"StringNotEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}},
                )
            ]
        ),
    ),
    (
        "a denial of the role's own, on the key alone",
        "pinecone-locked-out",
        lambda t: _own(t, Action="kms:Decrypt", Resource={"Fn::GetAtt": [resource_id(t, "KMS::Key"), "Arn"]}),
    ),
    (
        "a denial of the role's own, on the key of a parameter",
        "pinecone-not-seen-to-come-in",
        lambda t: (
            t.setdefault("Parameters", {}).update(Other={"Type": "String"}),
            _own(t, Action="kms:Decrypt", Resource={"Fn::Sub": "arn:aws:kms:*:${AWS::AccountId}:key/${Other}"}),
        ),
    ),
    (
        "a denial of the role's own, outside of another region",
        "pinecone-not-seen-to-come-in",
        lambda t: _own(t, Action="kms:*", Condition={"StringNotEquals": {"aws:RequestedRegion": "eu-south-2"}}),
    ),
    (
        "a denial of the role's own, without MFA",
        "pinecone-not-seen-to-come-in",
        lambda t: _own(t, NotAction="iam:*", Condition={"BoolIfExists": {"aws:MultiFactorAuthPresent": "false"}}),
    ),
    (
        "a boundary for one address",
        "pinecone-not-seen-to-come-in",
        lambda t: _bounded(t, Condition={"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
    ),
    (
        "a boundary without KMS",
        "pinecone-locked-out",
        lambda t: (
            add(t, "Boundary", "IAM::ManagedPolicy", PolicyDocument=grant(Action="s3:GetObject")["PolicyDocument"]),
            role(t).update(PermissionsBoundary={"Ref": "Boundary"}),
        ),
    ),
    (
        "everybody denied in the trust policy, in a form of one's own",
        "pinecone-locked-out",
        lambda t: trust_policy(t).append({"Effect": "Deny", "Principal": "*", "Action": "sts:*"}),
    ),
    (
        "Pinecone from one address alone",
        "pinecone-not-seen-to-come-in",
        lambda t: trust(t)["Condition"].update(IpAddress={"aws:SourceIp": "192.0.2.0/24"}),
    ),
    (
        "Pinecone with MFA alone",
        "pinecone-not-seen-to-come-in",
        lambda t: trust(t)["Condition"].update(Bool={"aws:MultiFactorAuthPresent": "true"}),
    ),
    (
        "the role with an encryption context alone",
        "pinecone-not-seen-to-come-in",
        lambda t: key_policy(t)[USE].update(Condition={"StringEquals": {"kms:EncryptionContext:project": "a"}}),
    ),
    (
        "one of Pinecone's roles that was deleted",
        "deleted-principal",
        lambda t: trust(t)["Principal"]["AWS"].append(DELETED),
    ),
    (
        "an administrator that was deleted",
        "deleted-principal",
        lambda t: key_policy(t)[ROOT].update(Principal={"AWS": [key_policy(t)[ROOT]["Principal"]["AWS"], DELETED]}),
    ),
    (
        "tags that differ in case alone",
        "role-tags",
        lambda t: role(t).update(Tags=[{"Key": "owner", "Value": "a"}, {"Key": "Owner", "Value": "b"}]),
    ),
    (
        "a tag with a character that IAM does not take",
        "role-tags",
        lambda t: role(t).update(Tags=[{"Key": "owner", "Value": "a — b"}]),
    ),
    (
        "a trust policy that IAM does not take",
        "trust-size",
        lambda t: trust(t).update(
            Principal={
                "AWS": [
                    f"arn:aws:iam::444455556666:role/pinecone_cmek_access_us-east-{number}" for number in range(1, 33)
                ]
            }
        ),
    ),
):
    mutant(words, rule, "nobody: Pinecone is shut out, or may be", edit)
