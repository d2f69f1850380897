"""The pictures: statements, Sids, actions and roles are those of `cmek_construct.guide`."""

from __future__ import annotations

from typing import Any, Final

from cmek_construct.guide import KeyAccess, key_policy, permissions, trust_statement
from cmek_construct.review.drawing import Arrow, Box, Drawing, reach
from cmek_construct.review.page import ENVIRONMENT
from reference.example import OWN, PINECONE, REGIONS, page

_CUSTOMERS: Final = ("444455556666", "777788889999")
_TRUST: Final = trust_statement(PINECONE, REGIONS, "an external ID")


def drawings() -> dict[str, Drawing]:
    """Each picture by its name."""
    shown = page()
    return {"who-reaches-what": reach(shown.shown[0][0]), "vendor": _vendor(), "life-of-a-key": _life_of_a_key()}


def svg(drawing: Drawing) -> str:
    """A file of its own: no script, no font, no other file."""
    draw = ENVIRONMENT.get_template("drawing.svg.j2").module
    return str(draw.draw(drawing, "drawing", file=True))  # type: ignore[attr-defined]


def _says(statement: dict[str, Any], what: str) -> str:
    """A statement in one line: its Sid, its actions, and the rest of it in words."""
    actions = statement["Action"]
    named = actions if isinstance(actions, str) else ", ".join(actions)
    return f"{statement['Sid']}: {named}, {what}"


def _pinecones_role() -> list[Box]:
    name = _TRUST["Principal"]["AWS"][0].rpartition("/")[2]
    account = Box(10, 10, 292, [f"Pinecone's account {PINECONE}"], "account", 84)
    return [account, Box(25, 44, 262, [name])]


def _vendor() -> Drawing:
    account, caller = _pinecones_role()
    own = Box(390, 10, 210, [f"Your account {OWN}"], "account", 232)
    role = Box(405, 60, 180, ["Role", "without a key of its own"], "role")
    accounts, keys, arrows = [], [], []
    for index, customer in enumerate(_CUSTOMERS):
        title = f"Customer {customer}"
        accounts.append(Box(690, 10 + index * 122, 220, [title], "account", 110))
        keys.append(Box(710, 50 + index * 122, 180, ["KMS key", "of the customer"], "key"))
    for number, along, x in ((2, 0.2, 640), (3, 0.8, 620)):
        start = role.side("right", along)
        for key in keys:
            end = key.side("left", along)
            arrows.append(Arrow([start, (x, start[1]), (x, end[1]), end], number=number))
    points = [caller.side("right"), (340, caller.side("right")[1]), (340, 85), role.side("left")]
    (policy,) = permissions(_CUSTOMERS[:1]).values()
    (statement,) = policy["Statement"]
    *_, use = key_policy(_CUSTOMERS[0], "role", KeyAccess.ENCRYPT_DECRYPT)["Statement"]
    both = ["AWS wants both 2 and 3:", "either side can end it."]
    return Drawing(
        "A vendor and the keys of its customers",
        920,
        [account, caller, own, role, *accounts, *keys],
        [Arrow(points, number=1, label=both, at=(412, 180)), *arrows],
        [
            _says(_TRUST, "for Pinecone with the external ID"),
            f"Role's permissions, {_says(statement, 'on ' + statement['Resource'])}",
            f"Customer's key policy, {_says(use, 'for your role')}",
        ],
        both,
    )


def _life_of_a_key() -> Drawing:
    made = Box(10, 20, 170, ["Made", "npx cdk deploy", "role, key, alias"])
    stored = Box(240, 20, 200, ["Stored at Pinecone", "Manage > CMEK > Add CMEK", "for good"])
    used = Box(490, 20, 190, ["In use", "rotates; the ARN stays", "cmek doctor"], "key")
    suspended = Box(720, 150, 190, ["Suspended", "Pinecone is cut off", "no data is lost"], "role")
    orphan = Box(250, 150, 190, ["Stack deleted", "role, key, alias stay", "Pinecone still gets in"], "role")
    ordered = Box(720, 290, 190, ["Deletion ordered", "30 days", "nobody can use the key"], "wrong")
    gone = Box(490, 290, 190, ["Gone", "and with it all data", "nobody brings it back"], "wrong")
    retire = ["cmek retire", "--schedule-deletion"]
    return Drawing(
        "The life of a key",
        920,
        [made, stored, used, suspended, orphan, ordered, gone],
        [
            Arrow([made.side("right"), stored.side("left")], label=["cmek", "sheet"], at=(188, 32)),
            Arrow([stored.side("right"), used.side("left")]),
            Arrow([(680, 54), (870, 54), (870, 150)], label=["cmek suspend"], at=(730, 46)),
            Arrow([(800, 150), (800, 76), (680, 76)], label=["cmek resume"], at=(700, 94)),
            Arrow([(547, 88), (547, 172), (440, 172)], label=["cdk destroy"], at=(452, 164)),
            Arrow([(440, 198), (585, 198), (585, 88)], label=["cmek adopt"], at=(596, 164)),
            Arrow([(777, 218), (777, 290)], label=retire, at=(640, 250)),
            Arrow([(853, 290), (853, 218)], label=["cmek", "retire", "--cancel"], at=(860, 240)),
            Arrow([ordered.side("left"), gone.side("right")]),
        ],
        said=[
            "Made by npx cdk deploy, then stored at Pinecone for good, then in use.",
            "cmek suspend cuts Pinecone off, cmek resume lets it back in.",
            "cdk destroy deletes the stack, not role, key and alias; cmek adopt takes them back.",
            "cmek retire --schedule-deletion orders the deletion of a suspended key in 30 days; cmek retire --cancel "
            "takes that back until then. Afterwards the key is gone, and with it all data.",
        ],
    )  # fmt: skip
