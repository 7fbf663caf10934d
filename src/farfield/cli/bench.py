"""``farfield bench``: how models, and what is done about shifts, generalise."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from farfield.cli import options

Result = Annotated[Path, typer.Argument(help="A results.json of `farfield bench run`.")]

app = typer.Typer(
    help="Benchmark of generalisation: how error grows with distance from training.",
    add_completion=False,
    rich_markup_mode=None,
)


@app.command("run")
def run(
    output: options.Folder,
    mode: Annotated[
        str, typer.Option("--mode", help="dev, fast, standard, or a YAML file of your own.")
    ] = "dev",
    tasks: Annotated[
        str | None,
        typer.Option("--tasks", "--task", help="Names or YAML files, with commas between."),
    ] = None,
    families: Annotated[
        str | None,
        typer.Option("--families", help="Of models, such as mace,painn; default: the mode's."),
    ] = None,
    contestants: Annotated[
        str | None,
        typer.Option("--contestants", help="Such as supervised,ttt; default: the mode's."),
    ] = None,
    seeds: Annotated[
        str | None, typer.Option("--seeds", help="Such as 0,1,2; default: the mode's.")
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", min=1, help="Processes, each with a family on a task.")
    ] = 1,
    cache: options.Cache = None,
    as_json: options.Json = False,
) -> None:
    """Run a benchmark, and write results.json and leaderboard.html; what is there is kept."""
    import json

    from farfield.processes import set_up_process
    from farfield.verbs.bench import PAGE, bench_run

    set_up_process()
    content = bench_run(
        output,
        mode=mode,
        tasks=_listed(tasks),
        families=_listed(families),
        contestants=_listed(contestants),
        seeds=_numbers(seeds),
        workers=workers,
        cache=cache,
        say=lambda line: typer.echo(line, err=True),
    )
    typer.echo(f"{output / PAGE}: {len(content['entries'])} results", err=True)
    if as_json:
        typer.echo(json.dumps(content, ensure_ascii=False))


@app.command("list")
def listing(as_json: options.Json = False) -> None:
    """List tasks, modes, families of models and contestants."""
    import json

    from farfield.verbs.bench import bench_list

    content = bench_list()
    if as_json:
        typer.echo(json.dumps(content, ensure_ascii=False))
        return
    for kind, entries in content.items():
        typer.echo(kind)
        width = max(map(len, entries)) + 2
        for name, title in entries.items():
            typer.echo(f"  {name:{width}}{title}")


@app.command("compare")
def compare(first: Result, second: Result, as_json: options.Json = False) -> None:
    """Compare the second run with the first, structure by structure, with 95 % intervals."""
    import json

    from farfield.verbs.bench import bench_compare, bench_differences

    rows = bench_compare(first, second)
    for difference in bench_differences(first, second):
        typer.echo(f"differs too: {difference}", err=True)
    if as_json:
        typer.echo(json.dumps([row.to_plain() for row in rows], ensure_ascii=False))
        return
    for row in rows:
        families = row.first if row.first == row.second else f"{row.first} → {row.second}"
        before, after = (f"{1000 * value:.1f}" for value in row.errors)
        low, high = (100 * limit for limit in (row.change.relative.low, row.change.relative.high))
        typer.echo(
            f"{row.task} {families} {row.contestant} {row.set}: {before} → {after} m{row.unit}, "
            f"{100 * row.change.relative.value:+.1f} % [{low:+.1f}, {high:+.1f}], "
            f"{row.change.verdict} ({row.change.n_structures} structures, {len(row.seeds)} seeds)"
        )


@app.command("report")
def report(
    results: Annotated[
        list[Path], typer.Argument(help="Files of `farfield bench run`; several become one page.")
    ],
    output: options.File,
) -> None:
    """Write the leaderboard: an HTML page that opens offline, or the tables (-o page.md)."""
    from farfield.verbs.bench import bench_report

    bench_report(results, output)
    typer.echo(str(output), err=True)


def _listed(text: str | None) -> list[str]:
    return [] if text is None else [word.strip() for word in text.split(",") if word.strip()]


def _numbers(text: str | None) -> list[int]:
    try:
        found = [int(word) for word in _listed(text)]
    except ValueError:
        raise typer.BadParameter(f"--seeds {text}: whole numbers with commas between") from None
    if any(number < 0 for number in found):
        raise typer.BadParameter(f"--seeds {text}: seeds are not negative")
    return found
