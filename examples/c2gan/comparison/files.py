"""A table of results beside the paper's figures: as Markdown, LaTeX and CSV."""

import csv
import io
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from comparison.variants import Row
from measuring.scoring import DOTS
from report import whole_file


class Column(NamedTuple):
    """A column: its title, the metric that it shows, and with how many digits."""

    title: str
    metric: str
    digits: int


IMAGES = (Column("PSNR", "PSNR", 2), Column("SSIM", "SSIM", 3))
READING = (
    Column("G_K: F1 in y*", f"{DOTS}y*", 2),
    Column("in y* blurred", f"{DOTS}y* blurred", 2),
    Column("in y", f"{DOTS}y", 2),
    Column("in y, another's", f"{DOTS}another's", 2),
)
MASKED = (Column("IS", "IS", 3), Column("mask-SSIM", "mask-SSIM posegan", 3), Column("mask-IS", "mask-IS", 3))
COLUMNS = {1: (*IMAGES, *READING), 2: (IMAGES[1], IMAGES[0]), 3: (IMAGES[1], *MASKED, IMAGES[0])}
SECONDS = Column("CPU s", "seconds", 0)


@dataclass(frozen=True)
class Result:
    """What one training of a row came to.

    Args:
        scores: Means over all test pairs, by metric.
        seconds: Of processor time.
        processor: On what.
    """

    scores: Mapping[str, float]
    seconds: float
    processor: str

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> "Result":
        """Return what a result file holds."""
        return cls(kept["scores"], kept["seconds"], kept["processor"])

    def value(self, metric: str) -> float:
        """Return a score, or the seconds; NaN where it was not measured."""
        value = self.seconds if metric == SECONDS.metric else self.scores.get(metric)
        return math.nan if value is None else value


class Figure(NamedTuple):
    """A mean over seeds, and their standard deviation; NaN where there is none."""

    mean: float
    spread: float


@dataclass(frozen=True)
class Line:
    """A line of a table.

    Args:
        title: The row's name.
        seeds: How often it was trained; 0 of an answer that needs no training.
        figures: By the column's title.
        published: The paper's figures, by metric.
    """

    title: str
    seeds: int
    figures: Mapping[str, Figure]
    published: Mapping[str, float]


@dataclass(frozen=True)
class Table:
    """A table: its columns and lines. Columns in which no line has a figure are left out."""

    columns: tuple[Column, ...]
    published: tuple[str, ...]
    lines: tuple[Line, ...]


def mean_and_spread(values: Sequence[float]) -> Figure:
    """Return the mean of finite values and their standard deviation, by n - 1; of one value there is no spread."""
    known = [value for value in values if math.isfinite(value)]
    if not known:
        return Figure(math.nan, math.nan)
    return Figure(statistics.fmean(known), statistics.stdev(known) if len(known) > 1 else math.nan)


def table_of(
    number: int,
    rows: Mapping[str, Row],
    results: Mapping[str, Sequence[Result]],
    untrained: Mapping[str, Mapping[str, float]],
) -> Table:
    """Return a table of what all seeds came to, the answers that need no training at the end."""
    columns = (*COLUMNS[number], SECONDS)
    lines = [
        Line(
            row.title,
            len(results[name]),
            {c.title: mean_and_spread([result.value(c.metric) for result in results[name]]) for c in columns},
            row.published,
        )
        for name, row in rows.items()
    ]
    lines += [
        Line(name, 0, {c.title: Figure(found.get(c.metric, math.nan), math.nan) for c in columns}, {})
        for name, found in untrained.items()
    ]
    shown = tuple(c for c in columns if any(math.isfinite(line.figures[c.title].mean) for line in lines))
    published = tuple(dict.fromkeys(metric for row in rows.values() for metric in row.published))
    return Table(shown, published, tuple(lines))


def differences(
    rows: Mapping[str, Row], results: Mapping[str, Sequence[Result]], reference: str, columns: Sequence[Column]
) -> Table:
    """Return by how much rows are above another, seed by seed: what the same seed of data and weights came to."""
    lines = [
        Line(
            f"{row.title} - {rows[reference].title}",
            len(results[name]),
            {
                c.title: mean_and_spread(
                    [
                        one.value(c.metric) - other.value(c.metric)
                        for one, other in zip(results[name], results[reference], strict=True)
                    ]
                )
                for c in columns
            },
            {metric: value - rows[reference].published[metric] for metric, value in row.published.items()},
        )
        for name, row in rows.items()
        if name != reference
    ]
    published = tuple(metric for metric in rows[reference].published if metric in {c.metric for c in columns})
    return Table(tuple(columns), published, tuple(lines))


def cells(table: Table, between: str = " ± ") -> tuple[list[str], list[list[str]]]:
    """Return a table's head and lines as text."""
    head = ["", *(c.title for c in table.columns), "seeds", *(f"{metric} (paper)" for metric in table.published)]
    lines = [
        [
            line.title,
            *(_shown(line.figures[c.title], c.digits, between) for c in table.columns),
            str(line.seeds) if line.seeds else "",
            *(_number(line.published.get(metric), 4) for metric in table.published),
        ]
        for line in table.lines
    ]
    return head, lines


def to_markdown(table: Table) -> str:
    """Return a Markdown table."""
    head, lines = cells(table)
    rows = [head, ["---", *["---:"] * (len(head) - 1)], *lines]
    return "\n".join(f"| {' | '.join(cell.replace('*', chr(92) + '*') for cell in row)} |" for row in rows) + "\n"


def to_latex(table: Table) -> str:
    """Return a LaTeX tabular, with the rules of booktabs."""
    head, lines = cells(table, r" $\pm$ ")
    body = [f"{' & '.join(map(_escaped, row))} \\\\" for row in (head, *lines)]
    return "\n".join(
        [
            rf"\begin{{tabular}}{{l{'r' * (len(head) - 1)}}}",
            r"\toprule",
            body[0],
            r"\midrule",
            *body[1:],
            r"\bottomrule",
            r"\end{tabular}",
            "",
        ]
    )


def to_csv(table: Table) -> str:
    """Return comma-separated values, unrounded: two columns for each figure."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    measured = [f"{c.title}{what}" for c in table.columns for what in ("", " spread")]
    writer.writerow(["row", *measured, "seeds", *(f"{metric} (paper)" for metric in table.published)])
    for line in table.lines:
        figures = [value for c in table.columns for value in line.figures[c.title]]
        writer.writerow(
            [
                line.title,
                *("" if math.isnan(value) else repr(value) for value in figures),
                line.seeds,
                *(line.published.get(metric, "") for metric in table.published),
            ]
        )
    return file.getvalue()


def write_table(table: Table, folder: Path, name: str) -> None:
    """Write a table in all three forms."""
    for ending, text in (("md", to_markdown(table)), ("tex", to_latex(table)), ("csv", to_csv(table))):
        whole_file(folder / f"{name}.{ending}", lambda draft, text=text: draft.write_text(text, encoding="utf-8"))


def _escaped(cell: str) -> str:
    for sign in "&%_#":
        cell = cell.replace(sign, f"\\{sign}")
    return cell


def _shown(figure: Figure, digits: int, between: str) -> str:
    if math.isnan(figure.mean):
        return ""
    mean = f"{figure.mean:.{digits}f}"
    return mean if math.isnan(figure.spread) else f"{mean}{between}{figure.spread:.{digits}f}"


def _number(value: float | None, digits: int) -> str:
    return "" if value is None else f"{round(value, digits):g}" if abs(value) >= 100 else str(round(value, digits))
