"""One journey runs in every language: every catalogue has the same keys, and every locale of an environment one."""

from __future__ import annotations

from pathlib import Path

import pytest

from postdeploy.environment import NoLabels, known, labels, load
from postdeploy.environment.labels import FOLDER

LANGUAGES = sorted(each.stem for each in FOLDER.glob("*.yaml"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_catalogue_says_the_same_things(language: str) -> None:
    assert labels(language).keys() == labels("en").keys()
    assert all(labels(language).values())


@pytest.mark.parametrize("name", known())
def test_every_language_that_an_environment_speaks_has_a_catalogue(name: str) -> None:
    for shop in load(name).with_all_brands().shops:
        assert labels(shop.locale)["sign_in"]


def test_what_a_locale_says_otherwise_comes_before_its_language() -> None:
    assert labels("zh-CN")["sign_in"] != labels("zh-HK")["sign_in"] == labels("zh")["sign_in"]


def test_missing_catalogue_says_which_file_to_write(tmp_path: Path) -> None:
    with pytest.raises(NoLabels, match=r"environments/labels/fi\.yaml, with the keys of en\.yaml"):
        labels("fi-FI", tmp_path)


def test_file_that_is_no_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "fi.yaml").write_text("a: [", encoding="utf-8")
    with pytest.raises(NoLabels, match=r"fi\.yaml"):
        labels("fi", tmp_path)


def test_shops_are_the_declared_brands_in_all_their_languages() -> None:
    environment = load("uk-prod")
    assert [each.name for each in environment.shops] == [
        "northgate.example en-GB",
        "cambria-invest.example cy-GB",
        "cambria-invest.example en-GB",
    ]
    every = environment.with_all_brands().shops
    assert [each.name for each in every[:3]] == [each.name for each in environment.shops]
    assert {each.brand.name for each in every} == set(environment.brands)
