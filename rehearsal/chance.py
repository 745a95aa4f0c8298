"""Everything that differs between two rehearsals is drawn from the seed, and only from it."""

from __future__ import annotations

import uuid
from random import Random

# The alphabet of Kubernetes' own generated names: no vowels, so that no word appears by accident.
ALPHABET = "bcdfghjklmnpqrstvwxz2456789"


class Chance:
    """Draws that depend on the seed and on what is drawn, never on the order of drawing."""

    def __init__(self, seed: int) -> None:
        self.seed = seed

    def draw(self, *what: object) -> Random:
        """A generator of its own for each thing that is drawn."""
        return Random("/".join(map(str, (self.seed, *what))))

    def uid(self, *what: object) -> str:
        """A uid."""
        return str(uuid.UUID(int=self.draw("uid", *what).getrandbits(128), version=4))

    def suffix(self, length: int, *what: object) -> str:
        """A generated name's ending, `x7k2p`."""
        return "".join(self.draw("suffix", *what).choices(ALPHABET, k=length))
