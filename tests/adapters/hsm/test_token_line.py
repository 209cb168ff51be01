"""The line in front of a token: one at a time, bounded, and nobody waits for ever."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from ingam.adapters.hsm.token_line import Line
from ingam.ports.signing import SigningOutage


@pytest.fixture
def line() -> Iterator[Line]:
    found = Line(2)
    yield found
    found.close(5, lambda: None)


class Held:
    """A call that stays in the line's thread until it is let go."""

    def __init__(self, line: Line) -> None:
        self._let_go, self.begun = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=line.ask, args=(self._act, 30))
        self._thread.start()
        assert self.begun.wait(5)

    def _act(self) -> None:
        self.begun.set()
        assert self._let_go.wait(30)

    def let_go(self) -> None:
        self._let_go.set()
        self._thread.join()


def reason(act: Callable[[], Any]) -> object:
    with pytest.raises(SigningOutage) as refused:
        act()
    return refused.value.facts["reason"]


def test_calls_are_made_in_one_thread_one_at_a_time(line: Line) -> None:
    inside, threads = [], set()

    def act(number: int) -> int:
        inside.append(number)
        threads.add(threading.get_ident())
        assert inside.pop() == number
        assert not inside
        return number

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(lambda number: line.ask(lambda: act(number), 5), range(50))) == list(range(50))
    assert len(threads) == 1
    assert threading.get_ident() not in threads


def test_what_a_call_raises_reaches_the_one_who_asked(line: Line) -> None:
    def act() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        line.ask(act, 5)
    assert line.ask(lambda: 1, 5) == 1


def test_a_full_queue_refuses_at_once(line: Line) -> None:
    held = Held(line)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(line.ask, lambda: 1, 30) for _ in range(2)]
        while line._jobs.qsize() < 2:
            pass
        assert reason(lambda: line.ask(lambda: 2, 30)) == "queue-full"
        held.let_go()
        assert [one.result() for one in waiting] == [1, 1]


def test_who_waits_too_long_is_told_and_the_call_is_never_begun(line: Line) -> None:
    held, begun = Held(line), []
    assert reason(lambda: line.ask(lambda: begun.append(1), 0.01)) == "no-answer"
    held.let_go()
    assert line.ask(lambda: 1, 5) == 1
    assert begun == []


def test_those_who_wait_hear_of_an_outage(line: Line) -> None:
    held = Held(line)
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(reason, lambda: line.ask(lambda: 1, 30)) for _ in range(2)]
        while line._jobs.qsize() < 2:
            pass
        line.fail_waiting()
        assert [one.result() for one in waiting] == ["token-lost", "token-lost"]
    held.let_go()
    assert line.ask(lambda: 1, 5) == 1


def test_closing_ends_the_thread_calls_the_last_and_refuses_whoever_comes() -> None:
    line, last = Line(1), []
    thread = line.ask(threading.current_thread, 5)
    line.close(5, lambda: last.append(threading.current_thread()))
    line.close(5, lambda: last.append(threading.current_thread()))
    assert last == [thread]
    assert not thread.is_alive()
    assert reason(lambda: line.ask(lambda: 1, 5)) == "closed"


def test_closing_does_not_wait_for_ever_for_a_token_that_never_answers() -> None:
    line = Line(1)
    held = Held(line)
    line.close(0.01, lambda: None)
    assert reason(lambda: line.ask(lambda: 1, 5)) == "closed"
    held.let_go()


def test_a_line_that_nobody_asked_has_no_thread() -> None:
    before = threading.active_count()
    line = Line(1)
    assert threading.active_count() == before
    line.close(1, lambda: None)


def test_a_line_may_be_closed_from_its_own_thread() -> None:
    line, last = Line(1), threading.Event()
    line.ask(lambda: line.close(5, last.set), 5)
    assert last.wait(5)
    assert reason(lambda: line.ask(lambda: 1, 5)) == "closed"
