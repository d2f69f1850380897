"""Templates out of files, folders and cloud assemblies, with those that stand within them."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from cmek_construct.checks import ACCOUNT_ID, REGION, TEMPLATE, printable
from cmek_construct.templates.reading import UnreadableError, each_of, members, parsed, text_of
from cmek_construct.warnings import ROLE_OF_KEY

NESTED: Final = "AWS::CloudFormation::Stack"
STACK_SET: Final = "AWS::CloudFormation::StackSet"
MANIFEST: Final = "manifest.json"
_STACK: Final = "aws:cloudformation:stack"
_WHERE: Final = {_STACK: "templateFile", "cdk:cloud-assembly": "directoryName"}
"""By the type of an artifact, what says where it is."""
_TEMPLATES: Final = "*.template.json"
_DEEPEST: Final = 10
_LARGEST_MANIFEST: Final = 100 * TEMPLATE  # bytes of a file of CDK's own: that of 1,000 stacks has 1.5 MB


class Problem(NamedTuple):
    """What could not be read, or does not fit together."""

    where: str  # a file, and what in it. Safe to print.
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.way_out}".rstrip()


@dataclass(frozen=True)
class Template:
    """One template, and where its stack is deployed as far as a cloud assembly says it."""

    name: str  # the file, and the stack set within it if it stands in one. Safe to print.
    file: Path
    content: Mapping[str, Any]
    sha256: str = ""  # of the bytes that were read
    stack: str | None = None  # the name of its stack
    title: str | None = None  # what its app calls the stack, such as ``Stage/Search``
    account: str | None = None
    region: str | None = None
    metadata: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """What its constructs say of themselves, each by its path, and by the type of what it says."""
    inner: "dict[str, Template]" = field(default_factory=dict)  # its nested stacks and stack sets, by logical ID

    def __post_init__(self) -> None:
        """Read those that stand as text in its stack sets, where they can be read."""
        for logical_id, resource in self.of_type(STACK_SET).items():
            body = members(resource.get("Properties")).get("TemplateBody")
            with suppress(UnreadableError):
                content = parsed(body if isinstance(body, str) else "")
                name = f"{self.name} > {printable(logical_id)}"
                self.inner[logical_id] = Template(name, self.file, content, self.sha256)

    def of_type(self, kind: str) -> dict[str, Mapping[str, Any]]:
        """The resources of a type, by logical ID."""
        found = members(self.content.get("Resources")).items()
        return {name: one for name, one in found if members(one).get("Type") == kind}


def template_of(content: Mapping[str, Any], name: str = "template", account: str | None = None) -> Template:
    """A template that is no file."""
    return Template(name, Path(name), content, account=account)


class Reader:
    """Reads files and folders, each file once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []
        self._found: dict[Path, Template] = {}
        self._inside: set[Path] = set()  # of nested stacks
        self._spare: set[Path] = set()  # of assemblies that do not say of which stack they are nested ones
        self._entered: set[Path] = set()
        self._named = cache(self._artifacts)

    def read(self, paths: Iterable[Path]) -> list[Template]:
        """The templates of some files and folders, of stacks that stand in no other of them.

        Files are in JSON or YAML. Of a cloud assembly counts what its manifest names; of another folder every
        ``*.template.json`` is read.
        """
        for path in dict.fromkeys(paths):
            self._add(path)
        inside, spare = set(self._inside), self._spare - self._found.keys()
        for file in sorted(spare):
            self._stack(file)
        tops = {file: one for file, one in self._found.items() if file not in inside}
        linked = _link(tops)
        return [one for file, one in tops.items() if file not in spare | linked]

    def _add(self, path: Path) -> None:
        if not path.exists():
            what = "there is no such file or folder."
            self._problem(path, what, "Run `npx cdk synth` first, or name template files.")
        elif not path.is_dir():
            self._stack(path)
        elif (path / MANIFEST).is_file():
            for file, *_ in self.stacks(path):
                self._stack(file)
        else:
            within = {file: file.relative_to(path).parent.parts for file in sorted(path.rglob(_TEMPLATES))}
            files = [file for file, folders in within.items() if not any(it.startswith("asset.") for it in folders)]
            if not files:
                way_out = "`npx cdk synth` writes them into cdk.out; name other files one by one."
                self._problem(path, f"it has no {_TEMPLATES}.", way_out)
            for file in files:
                assemblies = [one for one in file.parents if one.is_relative_to(path) and (one / MANIFEST).is_file()]
                self._add(assemblies[-1] if assemblies else file)

    def stacks(self, folder: Path) -> Iterator[tuple[Path, str, Mapping[str, Any]]]:
        """The stacks of an assembly and of its stages, each assembly once: where each is, its name and its artifact."""
        try:
            here = folder.resolve()
        except (OSError, ValueError, RuntimeError):
            self._problem(folder, "that is no name of a folder.", "Synthesize the app anew.")
            return
        if here in self._entered:
            return
        self._entered.add(here)
        found = sorted(self._named(folder).items(), key=lambda one: one[1][1]["type"] != _STACK)
        for path, (name, artifact) in found:
            yield from [(path, name, artifact)] if artifact["type"] == _STACK else self.stacks(path)

    def _artifacts(self, folder: Path) -> Mapping[Path, tuple[str, Mapping[str, Any]]]:
        """The stacks and assemblies that a manifest names, by where they are: the name of each, and its artifact."""
        file = folder / MANIFEST
        found = {}
        for name, one in members(self.json_in(file).get("artifacts")).items():
            needed = _WHERE.get(str(members(one).get("type")), "")
            where = members(members(one).get("properties")).get(needed)
            if needed and isinstance(where, str):
                found[folder / where] = (name, one)
            elif needed:
                self._problem(file, f"its artifact {name!a} has no {needed}.", "Synthesize the app anew.")
        return found

    def _stack(self, file: Path) -> None:
        """A file, as the template of a stack."""
        if file in self._found:
            return
        name, artifact = self._named(file.parent).get(file, ("", {}))
        account, _, region = str(artifact.get("environment")).removeprefix("aws://").partition("/")
        metadata = file.parent / Path(str(artifact.get("additionalMetadataFile") or "")).name
        said = self.json_in(metadata, having=ROLE_OF_KEY) or members(artifact.get("metadata"))
        each = {path: map(members, each_of(entries)) for path, entries in said.items()}
        template = self._template(
            file,
            stack=str(members(artifact.get("properties")).get("stackName") or name) or None,
            title=artifact.get("displayName"),
            account=account if ACCOUNT_ID.fullmatch(account) else None,
            region=region if REGION.fullmatch(region) else None,
            metadata={path: {str(it.get("type")): it.get("data") for it in some} for path, some in each.items()},
        )
        if template is not None:
            listed = file.with_name(file.name.replace(".template.json", ".assets.json"))
            files = members(self.json_in(listed).get("files")) if listed != file else {}
            # The files of assets, by the hashes that their URLs carry.
            assets = {name: str(members(members(one).get("source")).get("path")) for name, one in files.items()}
            self._found[file] = template
            self._inside |= {*self._read_nested(template, assets, 0)} - {file}
            if not assets and template.of_type(NESTED) and (file.parent / MANIFEST).is_file():
                self._spare |= set(file.parent.glob("*.nested.template.json"))

    def _template(self, file: Path, **place: Any) -> Template | None:
        try:
            text, sha256 = text_of(file)
            return Template(printable(file), file, parsed(text), sha256, **place)
        except UnreadableError as error:
            self._problem(file, str(error))
            return None

    def _read_nested(self, template: Template, assets: Mapping[str, str], depth: int) -> Iterator[Path]:
        """Add the templates of the nested stacks: their files."""
        for logical_id, resource in template.of_type(NESTED).items() if depth < _DEEPEST else ():
            url = members(resource.get("Properties")).get("TemplateURL")
            asset, text = members(resource.get("Metadata")).get("aws:asset:path"), json.dumps(url, default=str)
            # By the hash in its URL, by its metadata, or by its path.
            names = [path for name, path in assets.items() if name in text]
            names += [one for one in (asset, url) if isinstance(one, str)]
            files = (template.file.parent / one for one in names if "://" not in one and ".." not in Path(one).parts)
            file = next(filter(Path.is_file, files), None)
            if file and (nested := self._template(file)):
                template.inner[logical_id] = nested
                yield nested.file
                yield from self._read_nested(nested, assets, depth + 1)

    def json_in(self, file: Path, having: str = "") -> Mapping[str, Any]:
        """What is in a file; nothing of none, or where a text does not stand in it."""
        try:
            text, _ = text_of(file, _LARGEST_MANIFEST) if file.is_file() else ("{}", "")
            return members(json.loads(text)) if having in text else {}
        except (UnreadableError, OSError, ValueError, RecursionError):
            self._problem(file, "it is no JSON that can be read.", "Synthesize the app anew.")
            return {}

    def _problem(self, file: Path, what: str, way_out: str = "") -> None:
        self.problems.append(Problem(printable(file), what, way_out))


def _link(tops: Mapping[Path, Template]) -> set[Path]:
    """Add the template of each nested stack of which no file is known, if one alone fits: their files."""
    fits: dict[tuple[Path, str], list[Template]] = {}
    alone = [one for one in tops.values() if one.stack is None]
    for file, top in tops.items():
        stacks = {name: one for name, one in top.of_type(NESTED).items() if name not in top.inner}
        text = json.dumps(top.content, default=str) if stacks else ""
        for logical_id, resource in stacks.items():
            given = members(members(resource.get("Properties")).get("Parameters")).keys()
            asked = {one.partition('"')[0] for one in text.split(f'["{logical_id}", "Outputs.')[1:]}
            for one in alone if given or asked else ():
                declared, outputs = (members(one.content.get(it)) for it in ("Parameters", "Outputs"))
                needed = {name for name, it in declared.items() if "Default" not in members(it)}
                does_fit = needed <= given <= declared.keys() and asked <= outputs.keys()
                if does_fit and one is not top:
                    fits.setdefault((file, logical_id), []).append(one)
    counted = Counter(one.file for some in fits.values() for one in some)
    taken = {at: some[0] for at, some in fits.items() if len(some) == 1 == counted[some[0].file]}
    for (file, logical_id), one in taken.items():
        tops[file].inner[logical_id] = one
    return {one.file for one in taken.values()}
