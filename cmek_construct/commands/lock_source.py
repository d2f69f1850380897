"""What `cmek lock` locks: stacks out of cdk.out or out of template files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cmek_construct import templates
from cmek_construct.checks import printable
from cmek_construct.lock.identity import StackNow, stacks_of
from cmek_construct.lock.model import STACK_NAME, Lock, LockError, known


def read(paths: Sequence[Path], lock: Lock) -> tuple[list[StackNow], set[str]]:
    """The stacks of these files and cloud assemblies, and which roles and keys are Pinecone's.

    Args:
        paths: template files; or folders that `cdk synth` wrote, stages included.
        lock: what it has is Pinecone's, whatever it looks like.

    Raises:
        LockError: one cannot be read, or nothing of Pinecone's is in any of them.
    """
    for path in paths:
        if not path.exists():
            raise LockError(
                f"{printable(path)}: there is no such file or folder. Run `npx cdk synth` first, "
                "or name template files."
            )
    run = templates.read_run(paths)
    found = templates.find(run, known=known(lock))
    if found.problems:
        raise LockError("\n".join(map(str, found.problems)))
    stacks = stacks_of(run)
    tops = {one.top.name for one in stacks}
    ours = {str(one) for one in [*(r.place for r in found.roles), *(k.place for k in found.keys)]}
    if not any(name.startswith(f"{top}/") for top in tops for name in ours):
        names = ", ".join(printable(path) for path in paths)
        raise LockError(f"{names}: it has no role or key of Pinecone's, so there is nothing to do.")
    for one in stacks:
        if not STACK_NAME.fullmatch(one.place.stack):
            raise LockError(
                f"{printable(one.top.template.file)}: a template by itself is locked under the "
                f"name of its file, but {one.place.stack!a} is no name of a stack. Call the file "
                "as the stack, NAME.json."
            )
    return stacks, ours
