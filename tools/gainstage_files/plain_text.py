"""Text of strangers, fit for a terminal: names, numbers and words from files, and what libraries say."""

from __future__ import annotations

from typing import Any


LONGEST_SHOWN = 300  # characters of a piece of a message
LONGEST_LINE = 8000  # of a message


def shown(text: Any, longest: int = LONGEST_SHOWN) -> str:
    """On one line: control characters, those that turn the writing's direction and halves of characters as
    escapes; a long one is cut."""
    text = str(text)
    cut = text if len(text) <= longest else text[:longest] + " ..."
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in cut)


def message(text: list[str] | str) -> str:
    """A message, or a list of them, one a line."""
    return "\n".join(shown(line, LONGEST_LINE) for line in ([text] if isinstance(text, str) else text))


def page(text: str) -> str:
    """A text whose lines are our own."""
    return message(str(text).split("\n"))
