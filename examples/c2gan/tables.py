"""Train the rows of the paper's tables on one data set, and write them beside the paper's figures.

python examples/c2gan/tables.py 1 --out runs/tables
python examples/c2gan/tables.py 3 --seeds 1 --out runs/tables
python examples/c2gan/tables.py 2 --data DIR --size 256 --design published --base-channels 64 --steps 100000

A row that is finished is not trained again, and one that was stopped goes on where it was.
"""

import signal

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # while Python imports, Ctrl-C ends at once, without a traceback

from collections.abc import Mapping, Sequence

import torch
import tyro

from comparison.baselines import faces, persons
from comparison.files import IMAGES, Result, differences, table_of, to_markdown, write_table
from comparison.options import Options, checked, command, task_of
from comparison.page import check_page, part_of_page, share_table, write_page
from comparison.pictures import draw_gradients, draw_rows, norms_of, shares_of
from comparison.training import GRADIENTS, Data, measure_untrained, train_row
from comparison.variants import Row, Setup, ablations
from data.sources import keypoints_of, open_split, spread
from errors import UsageError, clear_errors, make_folder
from evaluate import load_run
from measuring.gradients import read_pulls
from report import whole_file


def rows_of(options: Options) -> dict[str, Row]:
    """Return the rows that are asked for, in the paper's order.

    Raises:
        UsageError: The table has no such row.
    """
    assert options.size is not None
    setup = Setup(
        keypoints_of(task_of(options.table), options.data),
        (options.size[0], options.size[-1]),
        options.preset,
        options.design,
        options.base_channels,
        options.pixel_weight,
    )
    rows = {1: ablations, 2: faces, 3: persons}[options.table](setup)
    if unknown := [name for name in options.rows if name not in rows]:
        raise UsageError(f"--rows {unknown[0]}: Table {options.table} has no such row; it has {', '.join(rows)}")
    return {name: row for name, row in rows.items() if not options.rows or name in options.rows}


def open_data(options: Options, rows: Mapping[str, Row]) -> Data:
    """Return the pairs, once it is clear that every row can be trained on them.

    Raises:
        UsageError: There are too few.
        CycleKitError: They cannot be read, or a network does not take their size.
    """
    size = options.size or (0, 0)
    task = task_of(options.table)
    data = Data(*(open_split(task, options.data, split, size, options.panels) for split in ("train", "test")))
    if options.batch > len(data.train):
        raise UsageError(
            f"--batch {options.batch} is more than the {len(data.train)} training pairs; choose a smaller one"
        )
    for row in rows.values():
        for stage in row.stages:
            with torch.device("meta"):
                stage.build((size[0], size[-1]))
    return data


def make_table(options: Options) -> None:
    """Train what is missing, and write the table."""
    options = checked(options)
    rows = rows_of(options)
    name = f"table-{options.table}-{options.preset}"
    if options.page is not None:
        check_page(options.page, name)
    data = open_data(options, rows)
    folder = options.out / f"table-{options.table}"
    make_folder(folder)
    results: dict[str, list[Result]] = {name: [] for name in rows}
    for seed in range(options.seeds):
        for row_name, row in rows.items():
            print(f"Table {options.table}: {row.title}, seed {seed}", flush=True)
            results[row_name].append(train_row(row, seed, folder / row_name / f"seed-{seed}", data, options))
    models = {row.title: load_run(folder / name / "seed-0")[0] for name, row in rows.items()}
    plain = measure_untrained(next(iter(models.values())), data, options, folder / "untrained.json")

    table = table_of(options.table, rows, results, plain)
    write_table(table, folder, "table")
    pictures = [folder / "rows.png"]
    draw_rows(models, data.test, spread(len(data.test), 5), pictures[0])
    added = shares = None
    if options.table == 1:
        if "I2I2I" in rows and len(rows) > 1:
            added = differences(rows, results, "I2I2I", IMAGES)
            write_table(added, folder, "differences")
        runs = {row.title: [folder / name / f"seed-{n}" for n in range(options.seeds)] for name, row in rows.items()}
        norms = {title: norms_of([read_pulls(run / GRADIENTS) for run in found]) for title, found in runs.items()}
        shares = share_table({title: shares_of(found) for title, found in norms.items()})
        whole_file(folder / "gradients.md", lambda draft: draft.write_text(shares, encoding="utf-8"))
        pictures.append(folder / "gradients.png")
        draw_gradients(norms, pictures[-1])
    print(to_markdown(table))
    print(f"table.md, table.tex, table.csv, {', '.join(picture.name for picture in pictures)}: {folder}")
    if options.page is not None:
        text = part_of_page(name, how(options, results, data), command(options), table, added, shares)
        write_page(options.page, name, text, pictures)


def how(options: Options, results: Mapping[str, Sequence[Result]], data: Data) -> str:
    """Return in words how a table came about."""
    height, width = options.size or (0, 0)
    hardware = sorted({result.processor for one in results.values() for result in one})
    seeds = "seed 0" if options.seeds == 1 else f"seeds 0 to {options.seeds - 1}, mean and standard deviation"
    return (
        f"{height}x{width} pixels, width {options.base_channels}, {options.steps:,} steps of batch {options.batch} at "
        f"a rate of {options.learning_rate:g} that falls to 0 over their second half, {len(data.train):,} training and "
        f"{len(data.test):,} test pairs; {seeds}; {' and '.join(hardware)}."
    )


def main(arguments: Sequence[str] | None = None) -> None:
    """Read the command line and make the table."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with clear_errors("the same command"):
        make_table(tyro.cli(Options, args=arguments))


if __name__ == "__main__":
    main()
