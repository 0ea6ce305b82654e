"""The wheel: every tracked file of the rooms and nothing else, and it answers from anywhere without the checkout."""

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKED = ("prompts", "web", "corpus")
PLANTED = ("server/__pycache__/left.cpython-311.pyc", "corpus/.env", "web/build/left.txt", "prompts/dist/left.md")


def tracked() -> list[str]:
    """Files that git knows, or would add; those that are ignored or gone are left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    names = listed.stdout.decode().split("\0")
    return sorted({name for name in names if name and (ROOT / name).is_file()})


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a fresh clone holds, and a few ignored files that must not be packed."""
    folder = tmp_path_factory.mktemp("clone")
    for name in tracked():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / name)
    for name in PLANTED:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("left over", encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def wheel(copy: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built offline from the copy."""
    out = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(copy)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    [found] = out.glob("*.whl")
    return found


def test_the_wheel_holds_every_tracked_file_and_nothing_else(wheel: Path) -> None:
    expected = {name for name in tracked() if name.startswith("server/")}
    expected |= {f"server/_packed/{name}" for name in tracked() if name.split("/")[0] in PACKED}
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if not name.endswith("/")}
    info = {name for name in names if re.fullmatch(r"plaincite-[^/]+\.dist-info/.+", name)}
    assert names - info == expected
    assert [name for name in info if name.endswith("/LICENSE")]
    assert {name.split("/", 1)[1] for name in info} >= {"METADATA", "RECORD", "WHEEL", "entry_points.txt"}


def test_the_packed_files_are_the_checkouts_own(wheel: Path, copy: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.startswith("server/") and not name.endswith("/"):
                assert archive.read(name) == (copy / name.removeprefix("server/_packed/")).read_bytes(), name


def test_the_metadata_names_licence_python_and_command(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        found = {name.rsplit("/", 1)[1]: archive.read(name).decode() for name in archive.namelist() if "-info/" in name}
    assert "License-Expression: Apache-2.0" in found["METADATA"]
    assert "Requires-Python: >=3.11" in found["METADATA"]
    assert "plaincite = server.cli:main" in found["entry_points.txt"]


def test_an_installed_wheel_answers_from_anywhere(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip = [sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet", "--target", str(target)]
    subprocess.run([*pip, str(wheel)], check=True, capture_output=True)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PLAINCITE_")}
    environ |= {
        "PYTHONPATH": str(target),
        "PLAINCITE_DATA_DIR": str(tmp_path / "data"),
        "HF_HUB_OFFLINE": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd="/", env=environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    before = {path: path.stat().st_mtime_ns for path in target.rglob("*") if path.is_file()}
    assert Path(run("-c", "import server; print(server.__file__)").strip()).is_relative_to(target)
    reply = json.loads(run("-m", "server.cli", "ask", "Does ketamine help with PTSD?", "--json"))
    assert reply["outcome"] == "answer"
    assert reply["sources"]
    run("-m", "server.cli", "corpus", "check")
    assert {path: path.stat().st_mtime_ns for path in target.rglob("*") if path.is_file()} == before


def test_every_package_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line.strip() and not line.startswith("#")]
    for line in pins:
        assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==[0-9][0-9A-Za-z.!]*( ?;.+)?", line), line
    names = [re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in pins]
    assert len(names) == len(set(names))
    [torch] = [line for line in pins if line.startswith("torch==")]
    assert "+" not in torch
    assert "@" not in torch


def test_everything_that_is_asked_for_is_pinned() -> None:
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    import tomllib

    project = tomllib.loads(text)["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", entry)[0]).lower() for entry in asked}
    pinned = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    have = {re.sub(r"[-_.]+", "-", line.split("==")[0]).lower() for line in pinned if "==" in line}
    assert names - have == set()
