"""How a fault is planted in the code for a while: names are bound to other functions, then back.

Code that says ``from module import function`` has a name of its own for the function, so a fault
lists every place in which the code looks the function up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any

Function = Callable[..., Any]


@dataclass(frozen=True)
class Place:
    """A name that the code looks up, and what a fault binds it to.

    Attributes:
        owner: the module or the class whose attribute it is, or the dictionary that has it as key.
        name: the name.
        wrong: the wrong function, which receives the right one as its first argument.
    """

    owner: Any
    name: str
    wrong: Function

    def get(self) -> Function:
        found: Function = (
            self.owner[self.name] if isinstance(self.owner, dict) else vars(self.owner)[self.name]
        )
        return found

    def set(self, function: Function) -> None:
        if isinstance(self.owner, dict):
            self.owner[self.name] = function
        else:
            setattr(self.owner, self.name, function)

    @contextmanager
    def bound(self, function: Function) -> Iterator[None]:
        """The name stands for another function while the context is open."""
        right = self.get()
        self.set(function)
        try:
            yield
        finally:
            self.set(right)


@dataclass(frozen=True)
class Fault:
    """A wrong version of the samplers.

    Attributes:
        what: what is wrong, as the article prints it.
        places: the places that are changed together.
    """

    what: str
    places: tuple[Place, ...]


@contextmanager
def planted(fault: Fault) -> Iterator[None]:
    """The code has the fault while the context is open."""
    with ExitStack() as stack:
        for place in fault.places:
            stack.enter_context(place.bound(_wrong(place.get(), place.wrong)))
        yield


@contextmanager
def watched(faults: Mapping[str, Fault]) -> Iterator[set[str]]:
    """The names of the faults whose places the code calls while the context is open.

    Nothing is changed. A fault that is not in the set cannot change what the code returns.
    """
    called: set[str] = set()
    with ExitStack() as stack:
        for name, place in _places(faults):
            right = place.get()
            stack.enter_context(place.bound(_recorder(right, name, called)))
        yield called


def _places(faults: Mapping[str, Fault]) -> Iterable[tuple[str, Place]]:
    return ((name, place) for name, fault in faults.items() for place in fault.places)


def _wrong(right: Function, wrong: Function) -> Function:
    # A function and no `functools.partial`, which would not be bound to an object as a method is.
    @wraps(right)
    def call(*arguments: Any, **options: Any) -> Any:
        return wrong(right, *arguments, **options)

    return call


def _recorder(function: Function, name: str, called: set[str]) -> Function:
    @wraps(function)
    def record(*arguments: Any, **options: Any) -> Any:
        called.add(name)
        return function(*arguments, **options)

    return record
