from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.evidence import catalogue

ROOT = Path(__file__).parents[2]
GOOD = '''
import pytest

@pytest.mark.check("infra.images.tag", over="component", owner="release", controls=["DORA-9.4e"])
def test_tag(component):
    """The component carries the release.

    More is said below.
    """
'''


@pytest.fixture
def suites(tmp_path):
    def write(**modules: str) -> Path:
        for tier, text in modules.items():
            folder = tmp_path / next(name for name, known in catalogue.FOLDERS.items() if known == tier)
            folder.mkdir(parents=True)
            (folder / "test_it.py").write_text(text, encoding="utf-8")
        return tmp_path

    return write


def test_committed_catalogue_is_in_step_with_the_suites():
    assert not catalogue.is_stale(ROOT), "postdeploy/catalogue.json is stale: make catalogue"


def test_a_check_is_read_from_its_decorator_and_docstring(suites):
    assert catalogue.scan(suites(infra=GOOD)) == (
        catalogue.Check(
            id="infra.images.tag",
            title="The component carries the release.",
            tier="infra",
            over="component",
            owner="release",
            controls=("DORA-9.4e",),
            module="verify/infra/test_it.py",
            function="test_tag",
        ),
    )


def test_a_check_is_judged_once_unless_it_says_over_what(suites):
    text = '@pytest.mark.check("smoke.login.token", owner="identity")\nasync def test_login():\n    "It logs in."\n'
    (check,) = catalogue.scan(suites(smoke=text))
    assert (check.over, check.controls, check.tier) == ("environment", (), "smoke")


def test_runbook_anchor_is_what_github_makes_of_the_heading(suites):
    (check,) = catalogue.scan(suites(infra=GOOD.replace("images.tag", "rollout.old-pods")))
    assert check.runbook == "docs/runbook.md#infrarolloutold-pods"


def test_scanning_does_not_import_the_suites(suites):
    assert catalogue.scan(suites(infra="raise SystemExit('imported')\n" + GOOD))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('@pytest.mark.check(NAME, owner="x")\ndef test_a(): "Holds."', "not a literal"),
        ('@pytest.mark.check("infra.a.b", owner=team())\ndef test_a(): "Holds."', "not a literal"),
        ('@pytest.mark.check("infra.a.b", **more)\ndef test_a(): "Holds."', "not a literal"),
        ('def test_a(): "Holds."', "needs exactly one @pytest.mark.check"),
        ('@pytest.mark.check\ndef test_a(): "Holds."', "needs exactly one @pytest.mark.check"),
        ('@pytest.mark.check("smoke.a.b", owner="x")\ndef test_a(): "Holds."', "form infra.subject.claim"),
        ('@pytest.mark.check("infra", owner="x")\ndef test_a(): "Holds."', "form infra.subject.claim"),
        ('@pytest.mark.check(owner="x")\ndef test_a(): "Holds."', "needs one check id"),
        ('@pytest.mark.check("infra.a.b")\ndef test_a(): "Holds."', "needs an owner"),
        ('@pytest.mark.check("infra.a.b", owner="x", onwer="y")\ndef test_a(): "Holds."', "unknown options: onwer"),
        ('@pytest.mark.check("infra.a.b", owner="x", over="pod")\ndef test_a(pod): "Holds."', "families are"),
        ('@pytest.mark.check("infra.a.b", owner="x", over="host")\ndef test_a(): "Holds."', "argument of that name"),
        ('@pytest.mark.check("infra.a.b", owner="x", controls="A")\ndef test_a(): "Holds."', "list of strings"),
        ('@pytest.mark.check("infra.a.b", owner="x", controls=[1])\ndef test_a(): "Holds."', "list of strings"),
        ('@pytest.mark.check("infra.a.b", owner="x")\ndef test_a(): pass', "docstring"),
        ("def test_a(:", "cannot be read as Python"),
    ],
)
def test_a_wrong_declaration_names_file_line_and_rule(suites, text, said):
    with pytest.raises(catalogue.CatalogueError) as caught:
        catalogue.scan(suites(infra=text))
    assert str(caught.value).startswith("verify/infra/test_it.py:")
    assert said in str(caught.value)


def test_an_id_is_never_used_twice_and_all_mistakes_are_told_at_once(suites):
    smoke = 'def test_b(): "Holds."'
    with pytest.raises(catalogue.CatalogueError) as caught:
        catalogue.scan(suites(infra=GOOD + GOOD.replace("test_tag", "test_again"), smoke=smoke))
    first, second = str(caught.value).splitlines()
    assert "'infra.images.tag' is taken by verify/infra/test_it.py::test_tag" in first
    assert second.startswith("smoke/test_it.py:1")


def test_written_catalogue_is_the_same_for_any_order_and_reads_back(suites, tmp_path):
    root = suites(infra=GOOD)
    file = tmp_path / "catalogue.json"
    assert catalogue.is_stale(root, file)
    checks = catalogue.write(root, file)
    assert not catalogue.is_stale(root, file)
    assert catalogue.load(file) == checks
    assert catalogue.text(checks[::-1]) == file.read_text(encoding="utf-8")
    assert len(catalogue.catalogue_sha256(file)) == 64
