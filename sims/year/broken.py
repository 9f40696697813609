"""What breaks a law: counted, and the first ones kept in words."""

from __future__ import annotations

from dataclasses import dataclass, field

KEPT = 20


@dataclass(slots=True)
class Broken:
    """The violations of one run."""

    count: int = 0
    sentences: list[str] = field(default_factory=list)

    def note(self, law: str, what: str) -> None:
        """Count one."""
        self.count += 1
        if len(self.sentences) < KEPT:
            self.sentences.append(f"{law}: {what}")
