"""Values of a template as text, as far as the template alone tells them.

What only CloudFormation knows is written as ``Fn::Sub`` writes it: ``${Role.Arn}``. A ``${`` that
is no reference, such as a policy variable, becomes ``${!``. What cannot be read at all, such as
``Fn::If``, becomes ``${?Fn::If}``. Source: CloudFormation template reference, "Intrinsic
functions".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

REFERENCE: Final = r"\$\{(?:AWS::\w+|\w+(?:\.[\w.]+)?|export [^{}]+)\}"
"""A pattern of one value that the deploy knows."""
_SUBSTITUTED: Final = re.compile(r"\$\{([^}]*)\}")


def is_unreadable(text: str) -> bool:
    """Whether a part of a text cannot be read from the template."""
    return "${?" in text or "{{resolve:" in text


def function_of(value: Any) -> tuple[str, Any] | None:
    """The name and the argument of an intrinsic function."""
    if isinstance(value, dict) and len(value) == 1:
        [(name, argument)] = value.items()
        if name == "Ref" or str(name).startswith("Fn::"):
            return name, argument
    return None


def is_no_value(value: Any) -> bool:
    """Whether CloudFormation leaves this out."""
    return function_of(value) == ("Ref", "AWS::NoValue")


class Texts:
    """Makes texts of the values of one template."""

    def __init__(
        self,
        known: Mapping[str, str],
        exports: Mapping[str, str],
        mappings: Mapping[str, Any] | None = None,
    ) -> None:
        """Remember what is known beyond the template.

        Args:
            known: texts of references, such as ``AWS::AccountId``.
            exports: texts of what other stacks export, by name.
            mappings: those of the template.
        """
        self._mappings = mappings or {}
        self._known = known
        self._exports = exports

    def of(self, value: Any) -> str:
        """The text of a string, a number, a Boolean or an intrinsic function."""
        if isinstance(value, bool):
            return str(value).lower()
        if isinstance(value, str):
            return value.replace("${", "${!")
        if isinstance(value, int | float):
            return str(value)
        function = function_of(value)
        if function is None:
            return _unreadable("an object" if isinstance(value, dict) else f"{value!r}")
        return self._call(*function)

    def all_of(self, value: Any) -> tuple[str, ...]:
        """The texts of one value or a list of some."""
        values = value if isinstance(value, list) else [value]
        return tuple(self.of(one) for one in values if not is_no_value(one))

    def _call(self, name: str, argument: Any) -> str:
        if name == "Ref" and isinstance(argument, str) and argument != "AWS::NoValue":
            return self._reference(argument)
        if name == "Fn::GetAtt":
            parts = argument if isinstance(argument, list) else [argument]
            if all(isinstance(part, str) for part in parts):
                return self._reference(".".join(parts))
        if name == "Fn::Join" and _is_pair(argument) and isinstance(argument[1], list):
            parts = [one for one in argument[1] if not is_no_value(one)]
            texts = [self.of(one) for one in parts]
            joined = self.of(argument[0]).join(texts)
            return joined if _same_marks(joined, texts) else _unreadable("Fn::Join of ${")
        if name == "Fn::Sub":
            text, values = argument if _is_pair(argument) else (argument, {})
            if isinstance(text, str) and isinstance(values, dict):
                return self._substitute(text, values)
        if name == "Fn::ImportValue" and self.of(argument) in self._exports:
            return self._exports[self.of(argument)]
        if name == "Fn::FindInMap" and isinstance(argument, list) and len(argument) == 3:
            return self._mapped([self.of(one) for one in argument])
        return _unreadable(name)

    def _mapped(self, keys: list[str]) -> str:
        found: Any = self._mappings
        for key in keys:
            found = found.get(key) if isinstance(found, dict) else None
        return self.of(found) if isinstance(found, str | int) else _unreadable("Fn::FindInMap")

    def _reference(self, name: str) -> str:
        return self._known.get(name, f"${{{name}}}")

    def _substitute(self, text: str, values: Mapping[str, Any]) -> str:
        texts = []

        def replacement(found: re.Match[str]) -> str:
            name = found[1].strip()
            if name.startswith("!"):
                texts.append(found[0])
            else:
                texts.append(self.of(values[name]) if name in values else self._reference(name))
            return texts[-1]

        made = _SUBSTITUTED.sub(replacement, text)
        return made if _same_marks(made, texts) else _unreadable("Fn::Sub of ${")


class CanonicalTexts(Texts):
    """Of values that were made into text already."""

    def __init__(self) -> None:
        """Know nothing more."""
        super().__init__({}, {})

    def of(self, value: Any) -> str:
        """The text as it is."""
        return value if isinstance(value, str) else super().of(value)


def _same_marks(whole: str, parts: list[str]) -> bool:
    """Whether no ``${`` came about where two parts meet."""
    return whole.count("${") == sum(part.count("${") for part in parts)


def _is_pair(argument: Any) -> bool:
    return isinstance(argument, list) and len(argument) == 2


def _unreadable(what: str) -> str:
    return f"${{?{what.replace('}', ')').replace('{', '(')}}}"
