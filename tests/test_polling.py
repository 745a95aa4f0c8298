from __future__ import annotations

import asyncio

import pytest

from postdeploy.deadline import Deadline
from postdeploy.polling import Look, read, read_async


class Unreachable(Exception):
    pass


class Refused(Exception):
    pass


class World:
    """A clock that a sleep moves on, and a thing to look at that answers from a list."""

    def __init__(self, *answers: object, takes: float = 0.25) -> None:
        self.answers, self.takes, self.now = list(answers), takes, 0.0
        self.slept: list[float] = []
        self.attempts: list[Look] = []

    def send(self) -> object:
        self.now += self.takes
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def send_async(self) -> object:
        return self.send()

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    async def sleep_async(self, seconds: float) -> None:
        self.sleep(seconds)

    def read(self, budget: float = 100, **options: object) -> object:
        deadline = Deadline(budget, lambda: self.now)
        given = {"attempts": self.attempts, "deadline": deadline, "retry_on": Unreachable, "sleep": self.sleep}
        return read(self.send, **(given | options))

    def read_async(self) -> object:
        deadline = Deadline(100, lambda: self.now)
        given = {"attempts": self.attempts, "deadline": deadline, "retry_on": (Unreachable,), "sleep": self.sleep_async}
        return asyncio.run(read_async(self.send_async, **given))


def outcomes(world: World) -> list[tuple[str, str]]:
    return [(each.outcome, each.reason) for each in world.attempts]


@pytest.mark.parametrize("read_it", [World.read, World.read_async])
def test_a_failed_look_is_repeated_and_remembered(read_it):
    world = World(Unreachable("reset"), "answer")
    assert read_it(world) == "answer"
    assert outcomes(world) == [("failed", "Unreachable: reset"), ("answered", "")]
    assert [each.duration_s for each in world.attempts] == pytest.approx([0.25, 0.25])
    assert len(world.slept) == 1
    assert world.attempts[0].at.utcoffset().total_seconds() == 0


@pytest.mark.parametrize("verdict", [False, None, 503, "down"])
def test_a_verdict_is_never_retried(verdict):
    world = World(verdict)
    assert world.read() is verdict
    assert world.slept == []


def test_another_cause_comes_back_at_once():
    world = World(Refused("401"))
    with pytest.raises(Refused):
        world.read()
    assert outcomes(world) == [("failed", "Refused: 401")]


def test_the_last_cause_is_raised_as_it_was():
    world = World(*[Unreachable(str(number)) for number in range(3)])
    with pytest.raises(Unreachable, match="2"):
        world.read()
    assert len(world.attempts) == 3


def test_the_number_of_looks_can_be_chosen():
    world = World(Unreachable("a"), "answer")
    with pytest.raises(Unreachable):
        world.read(tries=1)


def test_no_pause_outlasts_the_deadline():
    world = World(Unreachable("slow"), "answer", takes=5)
    with pytest.raises(Unreachable):
        world.read(budget=5)
    assert world.slept == []
