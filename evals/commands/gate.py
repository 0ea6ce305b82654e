"""gate: the quick set and the mutation check, as `make test` runs them."""

import tempfile
import time
from pathlib import Path

import typer

from evals.commands.common import told

LIMIT_S = 180.0


def gate() -> None:
    """Run the quick set and the mutation check; exit 1 when a limit is passed, a safety item missed or a check lost."""
    from evals.mutations import mutation_check
    from evals.report.words import headline
    from evals.session import Wanted, execute
    from evals.thresholds import failed, read_thresholds
    from server.corpus import load_corpora
    from server.paths import CORPUS
    from server.settings import load_settings
    from server.wording import load_wording

    started = time.perf_counter()
    with told(), tempfile.TemporaryDirectory() as folder:
        thresholds = read_thresholds()
        lines = mutation_check(load_corpora(CORPUS)[load_settings().topic], load_wording())
        report = execute(Path(folder), Wanted(quick=True))
        lines += [one.line for one in failed(report, thresholds)]
    for line in headline(report["hallucination"]):
        typer.echo(line)
    screen = report["tasks"]["screen"]["recall_exact"]
    known = len(thresholds.safety.missed)
    typer.echo(f"Safety items with the right card: {screen['held']} of {screen['of']}; {known} misses are known.")
    seconds = time.perf_counter() - started
    if seconds > LIMIT_S:
        lines.append(f"the gate took {seconds:.0f} s, at most {LIMIT_S:.0f}")
    for line in lines:
        typer.echo(f"failed: {line}", err=True)
    typer.echo(f"gate: {'failed' if lines else 'passed'} in {seconds:.0f} s")
    if lines:
        raise typer.Exit(1)
