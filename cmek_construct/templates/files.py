"""Templates out of files, folders and cloud assemblies, with those that stand within them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from cmek_construct import checks
from cmek_construct.checks import ACCOUNT_ID, REGION, printable
from cmek_construct.templates.reading import UnreadableError, bytes_of, each_of, members, parsed, text_of
from cmek_construct.warnings import ROLE_OF_KEY

NESTED: Final = "AWS::CloudFormation::Stack"
STACK_SET: Final = "AWS::CloudFormation::StackSet"
MANIFEST: Final = "manifest.json"
_STACK: Final = "aws:cloudformation:stack"
_ASSEMBLY: Final = "cdk:cloud-assembly"
_FILES: Final = {_STACK: "templateFile", _ASSEMBLY: "directoryName"}
"""By the type of an artifact, what says where it is."""
_FILE: Final = "aws:cdk:templateFile"
_LOGICAL_ID: Final = "aws:cdk:logicalId"
_TEMPLATES: Final = "*.template.json"
_NESTED_FILES: Final = "*.nested.template.json"
_ASSET: Final = "asset."
_DEEPEST: Final = 10
_LARGEST_MANIFEST: Final = 100 * checks.TEMPLATE
"""Bytes of a file of CDK's own: that of 1,000 stacks has 1.5 MB."""


@dataclass(frozen=True)
class Problem:
    """What could not be read, or does not fit together."""

    where: str
    """A file, and what in it. Safe to print."""
    what: str
    way_out: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} {self.way_out}".rstrip()


@dataclass(frozen=True)
class Template:
    """One template, and where its stack is deployed as far as a cloud assembly says it."""

    name: str
    """The file, and the stack set within it if it stands in one. Safe to print."""
    file: Path
    content: Mapping[str, Any]
    sha256: str = ""
    """Of the bytes that were read."""
    stack: str | None = None
    """The name of its stack."""
    title: str | None = None
    """What its app calls the stack, such as ``Stage/Search``."""
    account: str | None = None
    region: str | None = None
    roles_of_keys: Mapping[str, Any] = field(default_factory=dict)
    """The role that each key's construct says it is for, by the key's logical ID."""
    inner: Mapping[str, Template] = field(default_factory=dict)
    """The templates of its nested stacks and stack sets, by logical ID."""

    def of_type(self, *types: str) -> dict[str, Mapping[str, Any]]:
        """The resources of some types, by logical ID."""
        found = members(self.content.get("Resources")).items()
        return {name: one for name, one in found if members(one).get("Type") in types}


@dataclass(frozen=True)
class Files:
    """What was found in files."""

    templates: list[Template]
    """Of stacks that stand in no other of them."""
    problems: list[Problem]


def read(paths: Iterable[Path]) -> Files:
    """The templates of some files and folders.

    Args:
        paths: files in JSON or YAML; cloud assemblies, of which counts what their manifest names; other folders, of
            which every ``*.template.json`` is read.
    """
    reader = _Reader()
    for path in dict.fromkeys(paths):
        reader.add(path)
    return Files(_linked(reader.found, reader.spare), reader.problems)


def template_of(content: Mapping[str, Any], name: str = "template", account: str | None = None) -> Template:
    """A template that is no file, with what stands in its stack sets."""
    return _with_stack_sets(Template(name, Path(name), content, account=account))


class _Reader:
    """Reads each file once."""

    def __init__(self) -> None:
        self.found: dict[Path, Template] = {}
        self.spare: dict[Path, Template] = {}
        """Of an assembly that does not say of which stack they are nested ones."""
        self.problems: list[Problem] = []
        self._said: dict[Path, dict[str, Any]] = {}
        self._read: set[Path] = set()
        self._assemblies: dict[Path, dict[str, Mapping[str, Any]]] = {}
        self._of_assembly: dict[Path, dict[Path, tuple[str, Mapping[str, Any]]]] = {}

    def add(self, path: Path) -> None:
        if not path.exists():
            way_out = "Run `npx cdk synth` first, or name template files."
            self._problem(path, "there is no such file or folder.", way_out)
            return
        if not path.is_dir():
            self._stack(path)
            return
        if (path / MANIFEST).is_file():
            self._assembly(path)
            return
        files = sorted(one for one in path.rglob(_TEMPLATES) if not _is_asset(one, path))
        if not files:
            way_out = "`npx cdk synth` writes them into cdk.out; name other files one by one."
            self._problem(path, f"it has no {_TEMPLATES}.", way_out)
        for file in files:
            within = [path / one for one in file.relative_to(path).parents]
            assemblies = [one for one in within if (one / MANIFEST).is_file()]
            if assemblies:
                self._assembly(assemblies[-1])
            else:
                self._stack(file)

    def _assembly(self, folder: Path) -> None:
        """What a manifest names: its stacks, and the assemblies of its stages."""
        if folder.resolve() in self._read:
            return
        self._read.add(folder.resolve())
        for file in self._stacks(folder):
            self._stack(file)
        for artifact in self._artifacts(folder).values():
            if artifact["type"] == _ASSEMBLY:
                self._assembly(folder / artifact["properties"][_FILES[_ASSEMBLY]])

    def _artifacts(self, folder: Path) -> dict[str, Mapping[str, Any]]:
        """The stacks and assemblies that a manifest names, each with where it is."""
        if folder not in self._assemblies:
            found: dict[str, Mapping[str, Any]] = {}
            artifacts = members(self._json(folder / MANIFEST).get("artifacts"))
            for name, one in artifacts.items():
                needed = _FILES.get(str(members(one).get("type")))
                if needed and isinstance(members(one.get("properties")).get(needed), str):
                    found[name] = one
                elif needed:
                    what = f"its artifact {name!a} has no {needed}."
                    self._problem(folder / MANIFEST, what, "Synthesize the app anew.")
            self._assemblies[folder] = found
        return self._assemblies[folder]

    def _stacks(self, folder: Path) -> dict[Path, tuple[str, Mapping[str, Any]]]:
        """The stacks of a cloud assembly, by their files."""
        if folder not in self._of_assembly:
            self._of_assembly[folder] = {
                folder / one["properties"][_FILES[_STACK]]: (name, one)
                for name, one in self._artifacts(folder).items()
                if one["type"] == _STACK
            }
        return self._of_assembly[folder]

    def _stack(self, file: Path) -> None:
        """A file, as the template of a stack."""
        if file in self.found:
            return
        folder = file.parent
        artifact = self._stacks(folder).get(file) if (folder / MANIFEST).is_file() else None
        if artifact is not None:
            self._said |= _said(folder, self._metadata(folder, artifact[1]))
        template = self._template(file)
        if template is None:
            return
        if artifact is not None:
            template = replace(template, **_place(*artifact))
        self.found[file] = self._with_nested(template, _Assets(self, file), 0)

    def _template(self, file: Path) -> Template | None:
        try:
            content = bytes_of(file)
            digest = hashlib.sha256(content).hexdigest()
            one = Template(printable(file), file, parsed(text_of(content)), digest)
            return _with_stack_sets(replace(one, roles_of_keys=self._said.get(file, {})))
        except UnreadableError as error:
            self._problem(file, str(error))
            return None

    def _metadata(self, folder: Path, artifact: Mapping[str, Any]) -> Mapping[str, Any]:
        """What constructs of a stack say of their resources, by their paths."""
        file = folder / Path(str(artifact.get("additionalMetadataFile"))).name
        if file.is_file():
            return self._json(file, having=ROLE_OF_KEY)
        return members(artifact.get("metadata"))

    def _with_nested(self, template: Template, assets: _Assets, depth: int) -> Template:
        inner = dict(template.inner)
        stacks = template.of_type(NESTED) if depth < _DEEPEST else {}
        for logical_id, resource in stacks.items():
            file = assets.file_of(resource)
            nested = self._template(file) if file else None
            if nested:
                inner[logical_id] = self._with_nested(nested, assets, depth + 1)
        if stacks and not assets.paths and (template.file.parent / MANIFEST).is_file():
            for file in template.file.parent.glob(_NESTED_FILES):
                one = self._template(file) if file not in self.spare else None
                self.spare |= {file: one} if one else {}
        return replace(template, inner=inner)

    def _json(self, file: Path, having: str = "") -> Mapping[str, Any]:
        """What is in a file; nothing where a text does not stand in it."""
        try:
            text = text_of(bytes_of(file, _LARGEST_MANIFEST))
            return members(json.loads(text)) if having in text else {}
        except (UnreadableError, ValueError, RecursionError):
            self._problem(file, "it is no JSON that can be read.", "Synthesize the app anew.")
            return {}

    def _problem(self, file: Path, what: str, way_out: str = "") -> None:
        self.problems.append(Problem(printable(file), what, way_out))


class _Assets:
    """Where the templates of nested stacks are."""

    def __init__(self, reader: _Reader, file: Path) -> None:
        self._folder = file.parent
        assets = file.with_name(file.name.replace(".template.json", ".assets.json"))
        is_there = assets != file and assets.is_file()
        files = members(reader._json(assets).get("files")) if is_there else {}
        self.paths = {str(name): str(members(members(one).get("source")).get("path")) for name, one in files.items()}
        """The files of assets, by the hashes that their URLs carry."""

    def file_of(self, resource: Mapping[str, Any]) -> Path | None:
        """The file of a nested stack: by the hash in its URL, by its metadata, or by its path."""
        url = members(resource.get("Properties")).get("TemplateURL")
        text = json.dumps(url, default=str)
        path = members(resource.get("Metadata")).get("aws:asset:path")
        names = [path for name, path in self.paths.items() if name in text]
        names += [one for one in (path, url) if isinstance(one, str)]
        for name in names:
            file = self._folder / name
            if "://" not in name and ".." not in Path(name).parts and file.is_file():
                return file
        return None


def _is_asset(file: Path, folder: Path) -> bool:
    return any(part.startswith(_ASSET) for part in file.relative_to(folder).parent.parts)


def _place(name: str, artifact: Mapping[str, Any]) -> dict[str, Any]:
    """Names, account and Region of a stack."""
    environment = str(artifact.get("environment")).removeprefix("aws://")
    account, _, region = environment.partition("/")
    return {
        "stack": str(members(artifact.get("properties")).get("stackName") or name),
        "title": artifact.get("displayName"),
        "account": account if ACCOUNT_ID.fullmatch(account) else None,
        "region": region if REGION.fullmatch(region) else None,
    }


def _said(folder: Path, metadata: Mapping[str, Any]) -> dict[Path, dict[str, Any]]:
    """The roles that constructs say their keys are for, by template and logical ID."""
    each = {
        path: {str(members(one).get("type")): members(one).get("data") for one in each_of(entries)}
        for path, entries in metadata.items()
    }
    files = {path: says[_FILE] for path, says in each.items() if _FILE in says}
    found: dict[Path, dict[str, Any]] = {}
    for path, says in each.items():
        around = [one for one in files if path.startswith(f"{one}/")]
        if ROLE_OF_KEY in says and around:
            file = folder / str(files[max(around, key=len)])
            logical_id = str(each.get(f"{path}/Resource", {}).get(_LOGICAL_ID))
            found.setdefault(file, {})[logical_id] = says[ROLE_OF_KEY]
    return found


def _with_stack_sets(template: Template) -> Template:
    """With the templates that stand as text in its stack sets, where they can be read."""
    inner = {}
    for logical_id, resource in template.of_type(STACK_SET).items():
        body = members(resource.get("Properties")).get("TemplateBody")
        try:
            content = parsed(body) if isinstance(body, str) else None
        except UnreadableError:
            content = None
        if content is not None:
            name = f"{template.name} > {printable(logical_id)}"
            one = Template(name, template.file, content, template.sha256)
            inner[logical_id] = _with_stack_sets(one)
    return replace(template, inner=inner)


def _linked(found: Mapping[Path, Template], spare: Mapping[Path, Template]) -> list[Template]:
    """Each template in the one whose nested stack it is."""
    inside = {one.file for template in found.values() for one in _all_inner(template)}
    tops = [one for file, one in found.items() if file not in inside]
    lone = {one.file: one for one in tops if one.stack is None}
    lone |= {file: one for file, one in spare.items() if file not in inside}
    fits = {
        (top.file, logical_id): {file for file, one in lone.items() if one is not top and _fits(one, given, asked)}
        for top in tops
        for logical_id, given, asked in _unlinked(top)
    }
    taken = dict(_alone(fits))
    linked = [
        replace(top, inner={**top.inner} | {at[1]: lone[file] for at, file in taken.items() if at[0] == top.file})
        for top in tops
    ]
    return [one for one in linked if one.file not in taken.values()]


def _all_inner(template: Template) -> Iterator[Template]:
    for one in template.inner.values():
        if one.file != template.file:
            yield one
        yield from _all_inner(one)


def _unlinked(parent: Template) -> Iterator[tuple[str, set[str], set[str]]]:
    """Nested stacks of unknown templates: what each is given, and what is asked of it."""
    stacks = parent.of_type(NESTED)
    if all(logical_id in parent.inner for logical_id in stacks):
        return
    text = json.dumps(parent.content, default=str)
    for logical_id, resource in stacks.items():
        if logical_id not in parent.inner:
            given = set(members(members(resource.get("Properties")).get("Parameters")))
            asked = text.split(f'["{logical_id}", "Outputs.')[1:]
            yield logical_id, given, {one.partition('"')[0] for one in asked}


def _fits(child: Template, given: set[str], asked: set[str]) -> bool:
    """Whether a template takes what a nested stack is given, and gives what is asked of it."""
    declared = members(child.content.get("Parameters"))
    needed = {name for name, one in declared.items() if "Default" not in members(one)}
    outputs = set(members(child.content.get("Outputs")))
    return needed <= given <= set(declared) and asked <= outputs and bool(given or asked)


def _alone(fits: Mapping[tuple[Path, str], set[Path]]) -> Iterator[tuple[tuple[Path, str], Path]]:
    """Of what fits each nested stack, that which fits no other."""
    for where, files in fits.items():
        others = [some for place, some in fits.items() if place != where]
        own = [file for file in files if not any(file in some for some in others)]
        if len(own) == 1 == len(files):
            yield where, own[0]
