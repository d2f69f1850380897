"""Keys, aliases and roles that are not the guide's, or are not kept."""

from __future__ import annotations

from tests import forms
from tests.forms import CUSTOMER
from tests.mutants.made import add, grant, key, mutant, resource, role, role_arn
from tests.simulator.who_may_assume import STRANGER

for words, rule, allows, edit in (
    (
        "an RSA key",
        "key-kind",
        "Pinecone does not encrypt with it, for good",
        lambda t: key(t).update(KeySpec="RSA_2048"),
    ),
    (
        "a key to sign with",
        "key-kind",
        "Pinecone does not encrypt with it, for good",
        lambda t: key(t).update(KeyUsage="SIGN_VERIFY"),
    ),
    (
        "key material from elsewhere",
        "key-kind",
        "whoever has the material decrypts outside KMS",
        lambda t: key(t).update(Origin="EXTERNAL"),
    ),
    ("a disabled key", "key-enabled", "nobody reads the data", lambda t: key(t).update(Enabled=False)),
    ("no rotation", "key-rotation", "one material for all years", lambda t: key(t).update(EnableKeyRotation=False)),
    ("rotation left out", "key-rotation", "one material for all years", lambda t: key(t).pop("EnableKeyRotation")),
    (
        "a multi-Region key",
        "key-multi-region",
        "copies of the key with other policies",
        lambda t: key(t).update(MultiRegion=True),
    ),
    (
        "a replica of the key",
        "key-multi-region",
        "the copy's policy decides in another Region",
        lambda t: add(t, "Replica", "KMS::ReplicaKey", PrimaryKeyArn="arn", KeyPolicy=key(t)["KeyPolicy"]).update(
            DeletionPolicy="Retain", UpdateReplacePolicy="Retain"
        ),
    ),
    (
        "the shortest pending window",
        "key-pending-window",
        "a week and the data is lost",
        lambda t: key(t).update(PendingWindowInDays=7),
    ),
    (
        "KMS's lockout check bypassed",
        "key-lockout-check",
        "a policy that locks all out",
        lambda t: key(t).update(BypassPolicyLockoutSafetyCheck=True),
    ),
    (
        "a key that is enabled by a parameter",
        "cannot-be-judged",
        "the deployer switches the key off",
        lambda t: key(t).update(Enabled={"Ref": "IsEnabled"}),
    ),
    # The role's own permissions.
    (
        "an inline policy",
        "role-permissions",
        "Pinecone reads all buckets",
        lambda t: role(t).update(Policies=[grant(Action="s3:GetObject")]),
    ),
    (
        "a managed policy of AWS",
        "role-permissions",
        "Pinecone administers the account",
        lambda t: role(t).update(ManagedPolicyArns=["arn:aws:iam::aws:policy/AdministratorAccess"]),
    ),
    (
        "a policy that names the role",
        "role-permissions",
        "Pinecone uses every key of the account",
        lambda t: add(
            t,
            "More",
            "IAM::Policy",
            PolicyName="More",
            PolicyDocument=grant(Action="kms:Decrypt")["PolicyDocument"],
            Roles=[{"Ref": role_arn(t)["Fn::GetAtt"][0]}],
        ),
    ),
    (
        "a managed policy of the template",
        "role-permissions",
        "Pinecone passes on to other roles",
        lambda t: (
            add(t, "More", "IAM::ManagedPolicy", PolicyDocument=grant(Action="sts:AssumeRole")["PolicyDocument"]),
            role(t).update(ManagedPolicyArns=[{"Ref": "More"}]),
        ),
    ),
    (
        "the guide's customer statement for the account itself",
        "role-permissions",
        "Pinecone uses every key of the account that delegates to IAM",
        lambda t: role(t).update(Policies=[grant(Action="kms:Decrypt", Resource=f"arn:aws:kms:*:{CUSTOMER}:key/*")]),
    ),
    (
        "the guide's customer statement for every account",
        "role-permissions",
        "Pinecone uses every key that lets the role in",
        lambda t: role(t).update(Policies=[grant(Action="kms:Decrypt", Resource="arn:aws:kms:*:*:key/*")]),
    ),
    (
        "the guide's customer statement with one more action",
        "role-permissions",
        "Pinecone deletes a customer's key",
        lambda t: role(t).update(
            Policies=[
                grant(Action=["kms:Decrypt", "kms:ScheduleKeyDeletion"], Resource=f"arn:aws:kms:*:{STRANGER}:key/*")
            ]
        ),
    ),
    (
        "the guide's customer statement for every other key, too",
        "role-permissions",
        "Pinecone uses every key that lets the role in",
        lambda t: role(t).update(
            Policies=[grant(Action="kms:Decrypt", Resource=[f"arn:aws:kms:*:{STRANGER}:key/*", "*"])]
        ),
    ),
    (
        "one key of a customer, and one of the account itself",
        "role-permissions",
        "Pinecone uses a key of the account that delegates to IAM",
        lambda t: role(t).update(
            Policies=[
                grant(
                    Action="kms:Decrypt",
                    Resource=[f"arn:aws:kms:us-east-1:{one}:key/one" for one in (STRANGER, CUSTOMER)],
                )
            ]
        ),
    ),
    (
        "a policy of the role with NotAction",
        "role-permissions",
        "Pinecone does all but one thing",
        lambda t: role(t).update(Policies=[grant(NotAction="iam:*")]),
    ),
    (
        "sessions of twelve hours",
        "role-session",
        "a session outlives the suspension",
        lambda t: role(t).update(MaxSessionDuration=43200),
    ),
    # What is kept.
    (
        "a role that goes with the stack",
        "role-retained",
        "who deletes the stack takes the access",
        lambda t: resource(t, "IAM::Role").update(DeletionPolicy="Delete"),
    ),
    (
        "a role that is replaced",
        "role-retained",
        "who renames the role takes the access",
        lambda t: resource(t, "IAM::Role").pop("UpdateReplacePolicy"),
    ),
    (
        "a key that goes with the stack",
        "key-retained",
        "who deletes the stack deletes the data",
        lambda t: resource(t, "KMS::Key").pop("DeletionPolicy"),
    ),
    (
        "a key that is replaced",
        "key-retained",
        "who changes the key deletes the data",
        lambda t: resource(t, "KMS::Key").update(UpdateReplacePolicy="Delete"),
    ),
    (
        "an alias that goes with the stack",
        "alias-retained",
        "permissions by the alias go with it",
        lambda t: resource(t, "KMS::Alias").pop("DeletionPolicy"),
    ),
    (
        "the alias on another key",
        "alias-target",
        "who looks for the key deletes another",
        lambda t: (
            add(t, "Other", "KMS::Key", KeyPolicy={"Statement": []}),
            resource(t, "KMS::Alias")["Properties"].update(TargetKeyId={"Fn::GetAtt": ["Other", "Arn"]}),
        ),
    ),
    (
        "the alias on a key that is not seen",
        "alias-target",
        "who looks for the key deletes another",
        lambda t: resource(t, "KMS::Alias")["Properties"].update(
            TargetKeyId=forms.IMPORTED_KEY, AliasName="alias/ours"
        ),
    ),
):
    mutant(words, rule, allows, edit)
