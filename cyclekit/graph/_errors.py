"""What can be wrong with a graph."""


class GraphError(ValueError):
    """A graph that says something impossible: the message names the place and the mend."""


class NotationError(GraphError):
    """Text of a graph that cannot be read, or that contradicts itself, with the place marked by a caret."""

    def __init__(self, message: str, *, field: str, text: str, at: int) -> None:
        self.message = message
        self.field = field
        self.text = text
        self.at = at
        start = text.rfind("\n", 0, at) + 1
        end = text.find("\n", at)
        line = text[start:] if end < 0 else text[start:end]
        self.line = text.count("\n", 0, at) + 1
        self.column = at - start + 1
        # Tabs stay tabs under the line, so that the caret stands where the reader's eye is.
        gap = "".join("\t" if character == "\t" else " " for character in line[: at - start])
        super().__init__(f"{field}, line {self.line}: {message}\n    {line}\n    {gap}^")

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle by what it was made from."""
        return (_notation_error, (self.message, self.field, self.text, self.at))


def _notation_error(message: str, field: str, text: str, at: int) -> NotationError:
    return NotationError(message, field=field, text=text, at=at)


class GraphWarning(UserWarning):
    """A graph that can be trained but says more than it needs."""
