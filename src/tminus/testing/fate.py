"""What a process does to the world, moment by moment, and its death at a chosen one."""

from dataclasses import dataclass, field


class Crash(BaseException):
    """The process died at this moment; only who starts it again catches this."""


@dataclass(slots=True)
class Fate:
    """What the fakes of one launch did, and at which of these moments the process dies."""

    dies_at: int | None = None
    """The moment, counted from 0, after which the process is dead; none: it lives."""
    moments: list[str] = field(default_factory=list)
    """Everything that a fake did or an engine reached, in order."""
    acts: list[tuple[str, str]] = field(default_factory=list)
    """The step under way and what was done to the world in it."""
    step: str = ""
    """The step under way: its place and its name."""
    dead: bool = False
    starts: int = 0
    """How many processes there were, each begun after the death of the one before."""

    def begin(self) -> None:
        """A new process begins; what was done by the dead ones stays done."""
        self.dead = False
        self.starts += 1

    def act(self, what: str) -> None:
        """Something was done to the world."""
        self.acts.append((self.step, what))
        self.moment(what)

    def moment(self, what: str) -> None:
        """A moment passes; raises `Crash` when it is the last, and for whatever a dead process tries."""
        if self.dead:
            raise Crash(what)
        self.moments.append(what)
        if self.dies_at == len(self.moments) - 1:
            self.dead = True
            raise Crash(what)
