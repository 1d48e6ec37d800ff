"""What came out of a table, as a part of a page of the documentation."""

import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from comparison.files import Table, to_markdown
from errors import UsageError
from report import whole_file

PICTURES = Path("images") / "results"


def share_table(shares: Mapping[str, Mapping[str, float]]) -> str:
    """Return a Markdown table of how hard each term pulls at G_I in each row, as its share of all."""
    all_terms = dict.fromkeys(term for found in shares.values() for term in found)
    terms = [term for term in all_terms if any(found.get(term) for found in shares.values())]
    head = ["", *(term.replace("*", r"\*") for term in terms)]
    lines = [
        [title, *(f"{found[term]:.1%}" if found.get(term) else "" for term in terms)] for title, found in shares.items()
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---", *["---:"] * len(terms)], *lines)) + "\n"


def part_of_page(name: str, how: str, command: str, table: Table, added: Table | None, shares: str | None) -> str:
    """Return what a page says of a table.

    Args:
        name: What its pictures' names begin with.
        how: Size, steps, seeds, hardware.
        command: What makes it.
        table: The table.
        added: By how much its rows are above the first.
        shares: How hard each term pulls at G_I, as Markdown.
    """
    parts = ["```bash", command, "```", "", how, "", to_markdown(table)]
    if added is not None:
        parts += ["Against the first row, seed by seed:", "", to_markdown(added)]
    if shares is not None:
        parts += [
            "Each term's share of the sum of all terms' gradients into G_I, the mean over training and seeds:",
            "",
            shares,
            f"![Norms of the gradients into G_I by term and training step]({PICTURES}/{name}-gradients.png)",
            "",
        ]
    parts += [f"![What every row makes of the same test pairs, seed 0]({PICTURES}/{name}-rows.png)", ""]
    return "\n".join(parts)


def check_page(page: Path, name: str) -> tuple[str, str]:
    """Return what a page has before and behind a table's marks, these with it.

    Args:
        page: A Markdown file.
        name: Whose marks: ``<!-- tables.py: NAME -->`` and ``<!-- end of NAME -->``.

    Raises:
        UsageError: The page is absent, or has no such marks.
    """
    begin, end = f"<!-- tables.py: {name} -->", f"<!-- end of {name} -->"
    text = page.read_text(encoding="utf-8") if page.is_file() else ""
    if text.count(begin) != 1 or text.count(end) != 1 or text.index(end) < text.index(begin):
        raise UsageError(f"--page {page}: expected the marks {begin} and {end}, each once and in this order")
    first, last = text.index(begin) + len(begin), text.index(end)
    return text[:first], text[last:]


def write_page(page: Path, name: str, text: str, pictures: Iterable[Path]) -> None:
    """Put a text between a page's marks, and pictures beside it, their names behind the table's.

    Args:
        page: A Markdown file.
        name: Whose part of it is written.
        text: Markdown.
        pictures: Files.

    Raises:
        UsageError: The page is absent, or has no such marks.
    """
    before, behind = check_page(page, name)
    folder = page.parent / PICTURES
    folder.mkdir(parents=True, exist_ok=True)
    for picture in pictures:
        shutil.copyfile(picture, folder / f"{name}-{picture.name}")
    new = f"{before}\n\n{text.strip()}\n\n{behind}"
    whole_file(page, lambda file: file.write_text(new, encoding="utf-8"))
