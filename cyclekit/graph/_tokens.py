"""Text to tokens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, cast

from cyclekit.errors import NotationError

Kind = Literal["name", "sign", "end", "stop"]

_TOKEN = re.compile(r"(?P<space>[^\S\n]+|#[^\n]*)|(?P<end>[;\n])|(?P<name>[^\W\d]\w*\**)|(?P<sign>->|[-+~\[\],:().])")
_GOES_ON_AFTER = frozenset({"[", "(", ",", "-", "->", "~", ".", "vs", "+"})
_GOES_ON_BEFORE = frozenset({"]", ")", ",", "-", "->", "~", ".", "vs", "+"})


@dataclass(frozen=True)
class Token:
    """A name, a sign, the end of a statement, or the end of the text."""

    kind: Kind
    text: str
    at: int

    def __str__(self) -> str:
        """Return how a message calls it."""
        if self.kind == "stop":
            return "the end of the text"
        return "the end of the line" if self.text == "\n" else repr(self.text)


def tokens(field: str, text: str) -> list[Token]:
    """Return the tokens of a text; ends of lines that go on in the next one are left out.

    Raises:
        NotationError: A character means nothing in the notation.
    """
    kept: list[Token] = []
    depth = 0
    pending: list[Token] = []
    for token in _scanned(field, text):
        if token.text == "\n":
            pending.append(token)
            continue
        goes_on = depth > 0 or (bool(kept) and kept[-1].text in _GOES_ON_AFTER) or token.text in _GOES_ON_BEFORE
        if not goes_on:
            kept += pending
        pending.clear()
        if token.text in ("[", "("):
            depth += 1
        elif token.text in ("]", ")"):
            depth = max(0, depth - 1)
        kept.append(token)
    return kept


def _scanned(field: str, text: str) -> Iterator[Token]:
    at = 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        unknown = at if match is None else _unknown_in_name(match)
        if match is None or unknown is not None:
            raise NotationError(
                f"{text[unknown or at]!r} means nothing here: signals and networks are names, arrows are -G->",
                field=field,
                text=text,
                at=unknown or at,
            )
        if match.lastgroup != "space":
            yield Token(cast("Kind", match.lastgroup), match.group(), at)
        at = match.end()
    yield Token("stop", "", len(text))


def _unknown_in_name(match: re.Match[str]) -> int | None:
    """Return the offset of a character that no Python name holds, such as ``²``."""
    name = match.group().rstrip("*")
    if match.lastgroup != "name" or name.isidentifier():
        return None
    return match.start() + next(end for end in range(len(name)) if not name[: end + 1].isidentifier())
