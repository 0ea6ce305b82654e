"""Rules of the house that a machine can check: who imports whom, whose words stand where, and how long a module is."""

import ast
import re
import statistics
import subprocess
from pathlib import Path

import pytest
from conftest import imported

ROOT = Path(__file__).resolve().parent.parent
SERVER = ROOT / "server"
STAGES = ("screen", "understand", "retrieve", "compose", "verify")
MODULES = sorted(SERVER.rglob("*.py"))


def files() -> list[Path]:
    """Every file that git knows or would add."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return [ROOT / name for name in listed.stdout.decode().split("\0") if name and (ROOT / name).is_file()]


def readable(path: Path) -> str:
    """The file's text, empty for one that is no text."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


@pytest.mark.parametrize("stage", STAGES)
def test_stages_never_import_each_other(stage: str) -> None:
    others = tuple(f"server.{other}" for other in STAGES if other != stage)
    modules = sorted((SERVER / stage).rglob("*.py"))
    assert modules
    found = [
        f"{module.relative_to(ROOT)} imports {name}"
        for module in modules
        for name in sorted(imported(module))
        if any(name == other or name.startswith(other + ".") for other in others)
    ]
    assert found == []


@pytest.mark.parametrize("stage", [*STAGES, "corpus", "render"])
def test_rooms_inside_never_import_what_is_outside(stage: str) -> None:
    """Routes, the app and the command line know the rooms; no room knows them."""
    outside = ("server.routes", "server.app", "server.cli", "server.pipeline", "server.engine", "fastapi", "starlette")
    for module in (SERVER / stage).rglob("*.py"):
        assert not [name for name in imported(module) if name.startswith(outside)], module


def test_the_types_import_nothing_of_ours() -> None:
    ours = ("server", "evals", "tests")
    assert not [name for name in imported(SERVER / "turn.py") if name.split(".")[0] in ours]


def test_the_server_imports_neither_tests_nor_evaluations() -> None:
    for module in MODULES:
        assert not [name for name in imported(module) if name.split(".")[0] in {"evals", "tests"}], module


# The topic that answers when none is set has to be named somewhere, and that is in the settings.
NAMES_THE_TOPIC = {"server/settings.py": ['default="ketamine-ptsd"']}


def _rule_files() -> list[Path]:
    return [path for path in files() if path.is_relative_to(SERVER) and path.suffix in {".py", ".yaml", ".yml"}]


@pytest.mark.parametrize("path", _rule_files(), ids=lambda path: str(path.relative_to(SERVER)))
def test_the_server_holds_no_word_of_the_topic(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    for allowed in NAMES_THE_TOPIC.get(str(path.relative_to(ROOT)), []):
        text = text.replace(allowed, "")
    found = [
        f"{number}: {line.strip()[:100]}"
        for number, line in enumerate(text.splitlines(), start=1)
        if re.search(r"ketamine|ptsd", line, re.I)
    ]
    assert found == []


def test_modules_are_short() -> None:
    lengths = sorted(len(module.read_text(encoding="utf-8").splitlines()) for module in MODULES)
    assert statistics.median(lengths) <= 80
    longest = sorted(MODULES, key=lambda module: -len(module.read_text(encoding="utf-8").splitlines()))[:5]
    assert statistics.quantiles(lengths, n=20, method="inclusive")[-1] <= 220, [str(m) for m in longest]


def test_functions_are_short() -> None:
    lengths = [
        (node.end_lineno or node.lineno) - node.lineno + 1
        for module in MODULES
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert statistics.median(lengths) <= 10
    assert statistics.quantiles(lengths, n=20, method="inclusive")[-1] <= 35


# In parts, so that this file does not hold what it looks for.
MACHINE = ["/wor" + "k/", "/tmp" + "/w", "hel" + "per-", "/opt" + "/pypi", "/opt" + "/wheels", "/ho" + "me/"]
# An address given to pip; README's `--index-url …` leaves it to the reader.
REGISTRY = re.compile(r"(?:-index" + r"-url|-find-" + r"links|PIP_[A-Z_]*(?:URL|LINKS))[ =\"']+[a-z]+:/", re.I)


@pytest.mark.parametrize("words", MACHINE)
def test_no_file_names_a_machine(words: str) -> None:
    assert [str(path.relative_to(ROOT)) for path in files() if words in readable(path)] == []


def test_no_file_names_a_registry() -> None:
    assert [str(path.relative_to(ROOT)) for path in files() if REGISTRY.search(readable(path))] == []


def _choices(group: str) -> list[str]:
    """The alternatives of a group, with and without each optional letter."""
    depth, choices = 0, [""]
    for sign in group.removeprefix("?:"):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if sign == "|" and depth == 0:
            choices.append("")
        else:
            choices[-1] += sign
    while any(re.search(r"\w\?", choice) for choice in choices):
        choices = [
            c for choice in choices for c in dict.fromkeys(re.sub(r"(\w)\?", w, choice, count=1) for w in ("\\1", ""))
        ]
    return choices


def _repeated_groups(line: str) -> list[str]:
    """What stands in each group of the line that may be repeated without end."""
    opened: list[int] = []
    found: list[str] = []
    for place, sign in enumerate(line):
        if sign == "(":
            opened.append(place)
        elif sign == ")" and opened:
            start = opened.pop()
            if line[place + 1 : place + 2] in {"*", "+"}:
                found.append(line[start + 1 : place])
    return found


def test_no_rule_can_be_kept_busy_by_a_short_message() -> None:
    """A repeated group that can read the same words in two ways takes time that doubles with each repetition."""
    lines = (SERVER / "screen" / "red_flags.yaml").read_text(encoding="utf-8").splitlines()
    found: list[str] = []
    for number, line in enumerate(lines, start=1):
        if "( ?[" in line:
            found.append(f"{number}: a repeated word whose space is optional")
        for choices in map(_choices, _repeated_groups(line)):
            twice = {choice for choice in choices if choices.count(choice) > 1}
            known = set(choices)
            twice |= {c for c in known if any(c[:cut] in known and c[cut:] in known for cut in range(1, len(c)))}
            found += [f"{number}: {choice!r} can be read in two ways" for choice in sorted(twice)]
    assert not found, "\n".join(found)


def test_every_test_file_is_collected() -> None:
    kept = {path.name for path in (ROOT / "tests").rglob("*.py")} - {"conftest.py", "__init__.py"}
    assert sorted(name for name in kept if not re.fullmatch(r"test_\w+\.py", name)) == []
    for path in (ROOT / "tests").rglob("test_*.py"):
        names = {n.name for n in ast.parse(readable(path)).body if isinstance(n, ast.FunctionDef | ast.ClassDef)}
        assert [name for name in names if name.startswith(("test_", "Test"))], path


def test_no_test_is_skipped() -> None:
    marks = re.compile(r"pytest\.(?:skip|mark\.(?:skip|skipif|xfail)|importorskip)\b")
    here = Path(__file__)
    found = [path.name for path in (ROOT / "tests").rglob("*.py") if path != here and marks.search(readable(path))]
    assert found == []
