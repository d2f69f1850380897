"""What `cmek lock` locks: stacks out of cdk.out or out of template files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from cmek_construct.checks import printable
from cmek_construct.guardrails.subjects import Ours
from cmek_construct.lock import synthesized
from cmek_construct.lock.model import STACK_NAME, LockError, Place
from cmek_construct.lock.synthesized import MANIFEST, Synthesized
from cmek_construct.lock.updating import Found
from cmek_construct.operations.reviewing.templates import Template, UnreadableError, parsed
from cmek_construct.operations.reviewing.together import recognized

_SUFFIXES = (".template.json", ".template.yaml", ".json", ".yaml", ".yml", ".template")


def read(paths: Sequence[Path]) -> list[Found]:
    """The stacks of these files and cloud assemblies.

    Args:
        paths: template files; or folders that `cdk synth` wrote, stages included.

    Raises:
        LockError: one cannot be read, or nothing of Pinecone's is in any of them.
    """
    stacks = {one.file.resolve(): one for path in paths for one in _stacks(path)}
    found = list(_found(list(stacks.values())))
    if not any(one.ours for one in found):
        names = ", ".join(printable(path) for path in paths)
        raise LockError(f"{names}: it has no role or key of Pinecone's, so there is nothing to do.")
    return found


def _stacks(path: Path) -> Iterator[Synthesized]:
    if not path.exists():
        raise LockError(
            f"{printable(path)}: there is no such file or folder. Run `npx cdk synth` first, or "
            "name template files."
        )
    try:
        if path.is_dir():
            yield from _of_assembly(path)
        else:
            yield _of_file(path)
    except (OSError, ValueError, UnreadableError) as error:
        if isinstance(error, LockError):
            raise
        why = error.strerror if isinstance(error, OSError) else error
        raise LockError(f"{printable(path)}: cannot be read: {why}") from None


def _of_assembly(folder: Path) -> Iterator[Synthesized]:
    manifests = sorted(folder.rglob(MANIFEST))
    if not manifests:
        raise LockError(
            f"{printable(folder)}: it has no {MANIFEST}, so `npx cdk synth` did not write it. Run "
            "that first, or name template files one by one."
        )
    for manifest in manifests:
        for file, place in synthesized.places(manifest.parent).items():
            yield synthesized.read(file, place)


def _of_file(file: Path) -> Synthesized:
    """A template by itself is of the stack that the assembly beside it says, or of its name."""
    if (file.parent / MANIFEST).is_file():
        place = synthesized.places(file.parent).get(file)
        if place is not None:
            return synthesized.read(file, place)
    name = next((file.name[: -len(end)] for end in _SUFFIXES if file.name.endswith(end)), file.name)
    template = parsed(file.read_bytes().decode("utf-8-sig"))
    if not STACK_NAME.fullmatch(name):
        raise LockError(
            f"{printable(file)}: a template by itself is locked under the name of its file, but "
            f"{name!a} is no name of a stack. Call the file as the stack, NAME.json."
        )
    return synthesized.synthesized(file, Place(name), template)


def _found(stacks: Sequence[Synthesized]) -> Iterator[Found]:
    parts = [part for stack in stacks for part in stack.parts]
    templates = [Template(str(one.file), dict(one.template)) for one in parts]
    ours = {
        id(part): [part.resource(logical_id) for logical_id in _logical_ids(known.ours)]
        for part, known in zip(parts, recognized(templates), strict=True)
    }
    for stack in stacks:
        yield Found(
            stack.place,
            stack.identities(),
            [name for part in stack.parts for name in ours[id(part)]],
        )


def _logical_ids(ours: Ours) -> Iterator[str]:
    yield from (role.resource.logical_id for role in ours.roles)
    yield from (key.resource.logical_id for key in ours.keys)
