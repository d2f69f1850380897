"""What AWS's own documentation says of the requests that policies are about.

Source: Service Authorization Reference, "Actions, resources, and condition keys" for KMS and STS; `aws.txt` has the
rows of its tables.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from cmek_construct.policy.patterns import DIGITS, SOMETHING

_LETTER: Final = "[abcdefghijklmnopqrstuvwxyz0123456789-]"
WORD: Final = f"{_LETTER}{_LETTER}*"
_BEGIN: Final = f"arn:aws{_LETTER}*"
_OF_KMS: Final = f"{_BEGIN}:kms:{WORD}:{DIGITS}:"
_KEY: Final = f"{_OF_KMS}key/{SOMETHING}"
_FOR: Final = {  # what actions are for, each as patterns of ARNs
    "key": (_KEY,),
    "alias": (_KEY, f"{_OF_KMS}alias/{SOMETHING}"),
    "role": (f"{_BEGIN}:iam::{DIGITS}:role/{SOMETHING}",),
    "root": (f"{_BEGIN}:iam::{DIGITS}:root",),
    "federated-user": (f"{_BEGIN}:sts::{DIGITS}:federated-user/{SOMETHING}",),
    "*": ("",),
    "-": (),
}
KEY_ARN: Final = re.compile(r"arn:aws:kms:[a-z0-9-]+:[0-9]{12}:key/[A-Za-z0-9-]+")
EACH_KEY: Final = re.compile(r"arn:aws:kms:\*:([0-9]{12}):key/\*")  # every key of an account
_TABLE: Final = Path(__file__).with_name("aws.txt").read_text(encoding="utf-8")
_ROWS: Final = [row.split() for row in re.split(r"\n(?! )", _TABLE) if row and not row.startswith("#")]
"""An action, what it is for, and its condition keys; or a condition key and its type."""


def _of(*kinds: str) -> dict[str, str]:
    return {name.lower(): name for name, kind, *_ in _ROWS if kind in kinds}


ACTIONS: Final = {"key": _of("key", "alias"), "trust": _of("role"), "permissions": _of(*_FOR), "resource": {}}
"""By kind of policy the actions of KMS and STS that it can be about, each by its name in lower case. AWS may add
one."""
ACTED_ON: Final = [(_of(kind), patterns) for kind, patterns in _FOR.items()]  # actions, and what they are for
KEYS: Final[dict[str, set[str]]] = {}
"""Condition keys that come with these actions alone; others of a service with each of its own."""
for _action, _, *_keys in _ROWS:
    for _key in _keys:
        KEYS.setdefault(f"{_action.partition(':')[0]}:{_key}".lower(), set()).add(_action.lower())
FEDERATED: Final = (  # the actions of those who sign in elsewhere
    *("sts:assumerolewithsaml", "sts:assumerolewithwebidentity"),
    *("sts:setsourceidentity", "sts:tagsession"),
)
DIRECT_CALL: Final[Mapping[str, str | None]] = {  # what a call over TLS says that no AWS service makes for somebody
    "aws:calledvia": None,
    "aws:securetransport": "true",
    "aws:viaawsservice": "false",
    "kms:viaservice": None,
}
PRINCIPAL_ARN: Final = "aws:principalarn"
USER_ID: Final = "aws:userid"
EXTERNAL_ID: Final = "sts:externalid"
SESSION_BEGAN: Final = "aws:tokenissuetime"  # the key that says when the session of who asks began
CALLER_ACCOUNT: Final = "kms:calleraccount"  # the key that says the caller's account, in every request to KMS but some
ACCOUNT_KEYS: Final = ("aws:principalaccount", CALLER_ACCOUNT)  # the keys that say the account of the principal
OF_RESOURCE: Final = {"aws:requestedregion": 3, "aws:resourceaccount": 4}
"""The keys that say of a request to a key what its ARN says, and in which part."""
IS_SERVICE: Final = "aws:principalisawsservice"  # the key that says whether an AWS service asks
BOOLEANS: Final = _of("Bool")
SEVERAL: Final = _of("ArrayOfString")  # keys that have several values in one request
TRAILING_DAYS: Final = "kms:trailingdayswithoutkeyusage"  # the key that says for how many days nobody has used the key
DAYS: Final = re.compile("[0-9]{1,6}")  # such a number
WITHOUT_CALLER_ACCOUNT: Final = ("kms:generaterandom", "kms:listaliases", "kms:listkeys", "kms:listretirablegrants")
POLICY_KEEPING: Final = ("kms:GetKeyPolicy", "kms:PutKeyPolicy")
"""By these whoever owns a key mends its policy: without them a key can become unmanageable."""
RULING: Final = ("kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:DisableKey")
"""What shows that a key's account rules it: it can change its policy, and it can end it."""
