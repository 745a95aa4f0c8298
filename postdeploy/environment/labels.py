"""What pages call things, language by language: one catalogue, by which a journey runs in every language."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType

from postdeploy.environment.yaml import YamlProblem, read

FOLDER = Path(__file__).parents[2] / "environments" / "labels"
DEFAULT = "en"


class NoLabels(LookupError):
    """There is no catalogue for a language, or it cannot be read; the message says which file is missing."""


@cache
def labels(locale: str, folder: Path = FOLDER) -> Mapping[str, str]:
    """The labels of a locale: the language's, with what `LANGUAGE-COUNTRY.yaml` says otherwise. Raises NoLabels."""
    files = [folder / f"{name}.yaml" for name in dict.fromkeys((locale.partition("-")[0], locale))]
    found = [each for each in files if each.is_file()]
    if not found:
        raise NoLabels(f"no labels for {locale}: write environments/labels/{files[0].name}, with the keys of en.yaml")
    try:
        read_in = [read(each).data for each in found]
    except YamlProblem as error:
        raise NoLabels(str(error)) from error
    return MappingProxyType({name: str(text) for data in read_in for name, text in data.items()})
