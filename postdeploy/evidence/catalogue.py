"""Every check there is, read from the suites without importing them; the population a plan is made from."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path

import msgspec

FOLDERS = {
    "verify/infra": "infra",
    "verify/endpoints": "endpoints",
    "verify/audit": "audit",
    "smoke": "smoke",
    "journeys": "journeys",
}
"""Folder of the repository to tier; the order is the order in which tiers run and are shown."""
TIERS = tuple(FOLDERS.values())
EVERY_TIER = (*TIERS, "parity")
"""As reports show them: the last one compares several environments, in the record of the run that started theirs."""
FAMILIES = (
    *(
        "environment",
        "component",
        "workload",
        "cronjob",
        "migration",
        "service",
        "autoscaled",
        "entry",
        "image",
        "host",
        "account",
        "deposit",
    ),
    *("kustomization", "helmrelease", "imagepolicy", "progressive"),
    *("brand", "deep", "timed", "feed", "controlled", "shop", "bilingual"),
)
FILE = Path(__file__).parent.parent / "catalogue.json"
_ID = re.compile(r"[a-z0-9-]+(\.[a-z0-9-]+)+")
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class CatalogueError(ValueError):
    """A check is declared in a way that cannot be read without running it, or twice."""


class Check(msgspec.Struct, frozen=True):
    """One check of the suites, as declared above its function."""

    id: str
    title: str
    tier: str
    over: str
    """Family of subjects it is parametrised over; "environment" is judged once."""
    owner: str
    controls: tuple[str, ...]
    """Labels of the controls it is evidence for, such as DORA-9.4e."""
    module: str
    function: str

    @property
    def runbook(self) -> str:
        """Where the runbook explains this check."""
        return runbook(self.id)


def runbook(check_id: str) -> str:
    """The runbook's heading of a check id; GitHub and GitLab drop a heading's dots when they make its anchor."""
    return f"docs/runbook.md#{check_id.replace('.', '')}"


def scan(root: Path) -> tuple[Check, ...]:
    """Every check declared in the suites under `root`, sorted by id; all mistakes in one CatalogueError."""
    found: dict[str, Check] = {}
    mistakes: list[str] = []
    for where, check in _declared(root):
        if isinstance(check, str):
            mistakes.append(f"{where}: {check}")
        elif check.id in found:
            first = found[check.id]
            mistakes.append(f"{where}: check id {check.id!r} is taken by {first.module}::{first.function}")
        else:
            found[check.id] = check
    if mistakes:
        raise CatalogueError("\n".join(mistakes))
    return tuple(found[each] for each in sorted(found))


def load(file: Path = FILE) -> tuple[Check, ...]:
    """The committed catalogue."""
    return msgspec.json.decode(file.read_bytes(), type=tuple[Check, ...])


def text(checks: tuple[Check, ...]) -> str:
    """The catalogue as committed: the same checks always give the same bytes."""
    ordered = sorted(checks, key=lambda each: each.id)
    return msgspec.json.format(msgspec.json.encode(ordered), indent=2).decode() + "\n"


def write(root: Path, file: Path = FILE) -> tuple[Check, ...]:
    """Bring the committed catalogue in step with the suites under `root`."""
    checks = scan(root)
    file.write_text(text(checks), encoding="utf-8")
    return checks


def is_stale(root: Path, file: Path = FILE) -> bool:
    """Whether the committed catalogue differs from what the suites declare."""
    return not file.is_file() or file.read_text(encoding="utf-8") != text(scan(root))


def catalogue_sha256(file: Path = FILE) -> str:
    """SHA-256 of the committed catalogue, which a run's record binds."""
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _declared(root: Path) -> Iterator[tuple[str, Check | str]]:
    for folder, tier in FOLDERS.items():
        for path in sorted((root / folder).rglob("test_*.py")):
            module = path.relative_to(root).as_posix()
            try:
                tree = ast.parse(path.read_bytes(), filename=module)
            except SyntaxError as error:
                yield f"{module}:{error.lineno}", f"cannot be read as Python: {error.msg}"
                continue
            for function in ast.walk(tree):
                if isinstance(function, _Function) and function.name.startswith("test_"):
                    yield f"{module}:{function.lineno}", _check(function, module, tier)


def _check(function: _Function, module: str, tier: str) -> Check | str:
    """The check a test function declares, or what is wrong with the declaration."""
    marks = [each for each in function.decorator_list if _is_check(each)]
    if len(marks) != 1 or not isinstance(marks[0], ast.Call):
        return f'{function.name} needs exactly one @pytest.mark.check("id", owner="…")'
    try:
        names = [ast.literal_eval(each) for each in marks[0].args]
        options = {str(each.arg): ast.literal_eval(each.value) for each in marks[0].keywords}
    except ValueError:
        return f"@pytest.mark.check of {function.name} holds something that is not a literal"
    title = (ast.get_docstring(function) or "").strip().partition("\n")[0]
    wrong = _mistake(function, names, options, tier, title)
    if wrong:
        return wrong
    controls = tuple(options.get("controls", ()))
    over = options.get("over", "environment")
    return Check(names[0], title, tier, over, options["owner"], controls, module, function.name)


def _is_check(decorator: ast.expr) -> bool:
    called = decorator.func if isinstance(decorator, ast.Call) else decorator
    return ast.unparse(called) in ("pytest.mark.check", "mark.check")


def _mistake(function: _Function, names: list[object], options: dict[str, object], tier: str, title: str) -> str | None:
    over = options.get("over", "environment")
    controls = options.get("controls", ())
    arguments = {each.arg for each in (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)}
    match names:
        case [str(name)] if _ID.fullmatch(name) and name.startswith(f"{tier}."):
            pass
        case _:
            return f"{function.name} needs one check id of the form {tier}.subject.claim, not {names!r}"
    if unknown := sorted(options.keys() - {"over", "owner", "controls"}):
        return f"{names[0]} has unknown options: {', '.join(unknown)}; known are over, owner, controls"
    if not isinstance(options.get("owner"), str) or not options["owner"]:
        return f"{names[0]} needs an owner: the team that answers for it"
    if over not in FAMILIES:
        return f"{names[0]} is over {over!r}; the families are {', '.join(FAMILIES)}"
    if over != "environment" and over not in arguments:
        return f"{names[0]} is over {over!r}, so {function.name} needs an argument of that name"
    if not isinstance(controls, list | tuple) or not all(isinstance(each, str) for each in controls):
        return f"{names[0]}: controls is a list of strings"
    return None if title else f"{names[0]} needs a docstring whose first line says what holds"
