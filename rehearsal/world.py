"""What every act works with: the pretended AWS, the user's folders, and who asks."""

from __future__ import annotations

import json
import shlex
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from rehearsal import accounts, guide
from rehearsal.accounts import ADMINISTRATOR, DEPLOYER, LISTED, PINECONE, Site
from rehearsal.aws import ALLOWED, Aws, Credentials, answer, root
from rehearsal.commands import Ended, Shell
from rehearsal.guide import Document
from rehearsal.project import Project
from rehearsal.report import CannotGoOnError, Report

PLAINTEXT: Final = b"what Pinecone encrypts"
ALL: Final = ("--all", "--concurrency", "3")
"""For `cdk deploy`, as README has it: all stacks at the same time."""
NOT_ASKED: Final = ("--require-approval", "never")
"""For `cdk deploy`, where nobody sits before it."""


class Made(NamedTuple):
    """What a stack holds now; beside a customer's key, the vendor's role, and no alias."""

    role_arn: str
    key_arn: str
    alias: str


@dataclass
class World:
    """The state of one rehearsal."""

    aws: Aws
    shell: Shell
    report: Report
    app: Project
    """The folder that deploys to three accounts."""
    reviewed: Project
    """The folder whose template a reviewer reads."""
    vendor: Project
    """The folder of a vendor whose customers have keys of their own."""
    first: dict[Site, Made] = field(default_factory=dict)
    """What each stack held after its first deploy."""
    ciphertexts: dict[Site, bytes] = field(default_factory=dict)
    """What Pinecone encrypted after the first deploy."""
    _sessions: dict[str, Credentials] = field(default_factory=dict)

    def session(self, role_arn: str) -> Credentials:
        """A session of one of the roles of `accounts.make_roles`."""
        if role_arn not in self._sessions:
            account = role_arn.split(":")[4]
            self._sessions[role_arn] = self.aws.assume(role_arn, root(account))
        return self._sessions[role_arn]

    @property
    def deployer(self) -> Credentials:
        """Who runs the CDK CLI."""
        return self.session(DEPLOYER)

    def administrator(self, site: Site) -> Credentials:
        """Who may do everything in the account of a stack."""
        arn = accounts.role_arn(site, ADMINISTRATOR)
        if arn not in self._sessions:
            accounts.make_role(self.aws, arn, "*")
        return self.session(arn)

    def client(self, service: str, site: Site) -> Any:
        """A client of the administrator, for looking and for controls."""
        return self.aws.client(service, self.administrator(site), site.region)

    def outputs(self, site: Site) -> dict[str, str]:
        """The outputs of the stack, as CloudFormation says."""
        cloudformation = self.client("cloudformation", site)
        stack = cloudformation.describe_stacks(StackName=site.name)["Stacks"][0]
        return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}

    def made(self, site: Site) -> Made:
        """What the stack holds now, as CloudFormation says."""
        outputs = self.outputs(site)
        cloudformation = self.client("cloudformation", site)
        resources = cloudformation.describe_stack_resources(StackName=site.name)["StackResources"]
        (alias,) = (
            resource["PhysicalResourceId"] for resource in resources if resource["ResourceType"] == "AWS::KMS::Alias"
        )
        return Made(outputs["RoleArn"], outputs["KeyArn"], alias)

    def run(self, folder: Path, who: Credentials, *command: str, typed: str = "", started: bool = False) -> Ended:
        """Run `cdk` or `cmek`, and show what is typed; see `Shell.run`."""
        with self.report.step(f"$ {shlex.join(command)}"):
            environment = self.aws.environment(who)
            return self.shell.run(folder, environment, *command, typed=typed, started=started)

    def ends(self, question: str, ended: Ended, code: int = 0) -> None:
        """One row for how a command ended."""
        self.report.row(question, f"exit code {code}", str(ended), ended.said)

    def key_policy(self, site: Site) -> Document:
        """That of a stack's key, as KMS has it."""
        answered = self.client("kms", site).get_key_policy(KeyId=self.first[site].key_arn)
        policy: Document = json.loads(answered["Policy"])
        return policy

    def put_key_policy(self, site: Site, policy: Document) -> None:
        """Write it, as the owner of the key may."""
        key = self.first[site].key_arn
        self.client("kms", site).put_key_policy(KeyId=key, Policy=json.dumps(policy))

    def must_end_well(self, question: str, ended: Ended) -> None:
        """One row for a command without which nothing goes on.

        Raises:
            CannotGoOnError: it failed.
        """
        self.ends(question, ended)
        if ended.exit_code:
            raise CannotGoOnError(f"Nothing goes on after {question}.")

    def deploy(self, what: str, *sites: Site, code: int = 0) -> None:
        """Run `cdk deploy` once more, for all stacks or those named; one row for how it ends."""
        which = [site.name for site in sites] or ALL
        ended = self.run(self.app.folder, self.deployer, "cdk", "deploy", *which, *NOT_ASKED)
        self.ends(f"`cdk deploy`: {what}", ended, code)

    def create_stack(self, site: Site, template: str, *capabilities: str) -> str:
        """Let CloudFormation alone deploy a template. Returns the status of the stack then."""
        with self.report.step(f"CloudFormation makes {site.name} in account {site.account}"):
            self.client("cloudformation", site).create_stack(
                StackName=site.name, TemplateBody=template, Capabilities=capabilities
            )
            return self.settled(site)

    def settled(self, site: Site) -> str:
        """The status of a stack, when nothing of it is in progress any more, or after a minute."""
        cloudformation = self.client("cloudformation", site)
        for _ in range(600):
            (stack,) = cloudformation.describe_stacks(StackName=site.name)["Stacks"]
            if not stack["StackStatus"].endswith("_IN_PROGRESS"):
                break
            time.sleep(0.1)
        return str(stack["StackStatus"])

    def compare_with_first(self, site: Site, *, changed: str = "nothing", reads: str = ALLOWED) -> None:
        """One row for role, key and alias, and one for the first ciphertext."""
        pairs = zip(Made._fields, self.first[site], self.made(site), strict=True)
        others = [name for name, first, now in pairs if first != now]
        question = f"{site.name}: changed of role ARN, key ARN, alias"
        self.report.row(question, changed, ", ".join(others) or "nothing")
        question = f"{site.name}: decrypts the first ciphertext"
        self.report.row(question, reads, self.pinecone_reads(site))

    def come_in(self, site: Site, caller: str, external_id: str | None) -> Credentials:
        """Assume the role of a stack, as a role of somebody."""
        presented = {"ExternalId": external_id} if external_id is not None else {}
        return self.aws.assume(self.first[site].role_arn, self.session(caller), **presented)

    def pinecone(self, site: Site) -> Credentials:
        """Come in as Pinecone does: its role of a listed region, with the right external ID."""
        return self.come_in(site, guide.access_role(PINECONE, LISTED[0]), site.external_id)

    def pinecone_reads(self, site: Site) -> str:
        """Pinecone comes in anew and decrypts what it encrypted after the first deploy."""
        session: list[Credentials] = []
        way_in = answer(lambda: session.append(self.pinecone(site)))
        return way_in if way_in != ALLOWED else self.reads(site, session[0])

    def encrypts(self, site: Site, who: Credentials) -> str:
        """These credentials encrypt with the key of a stack, and the ciphertext is kept."""
        kms = self.aws.client("kms", who, site.region)

        def encrypt() -> None:
            answered = kms.encrypt(KeyId=self.first[site].key_arn, Plaintext=PLAINTEXT)
            self.ciphertexts[site] = answered["CiphertextBlob"]

        return answer(encrypt)

    def reads(self, site: Site, who: Credentials) -> str:
        """These credentials decrypt what Pinecone encrypted after the first deploy."""
        if site not in self.ciphertexts:
            return "no ciphertext"
        plaintexts: list[bytes] = []
        kms = self.aws.client("kms", who, site.region)
        decrypted = answer(
            lambda: plaintexts.append(
                kms.decrypt(KeyId=self.first[site].key_arn, CiphertextBlob=self.ciphertexts[site])["Plaintext"]
            )
        )
        return decrypted if plaintexts in ([], [PLAINTEXT]) else "another plaintext"
