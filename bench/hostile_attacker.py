"""The attacker of the hostile bench, in a process of its own: it repeats one attack until its standard input ends."""

from __future__ import annotations

import json
import os
import select
import sys

from bench.hostile_attacks import ATTACKS
from bench.hostile_place import NotStopped, Place


def attack_until_told() -> int:
    """Attack as argv 1 names it the place that standard input's first line gives; then say how it went."""
    attack, place = ATTACKS[sys.argv[1]], Place.from_json(sys.stdin.readline())
    print("ready", flush=True)
    rounds, got_through = 0, ""
    try:
        rounds = attack.rounds(place, lambda: bool(select.select([sys.stdin], [], [], 0)[0]))
    except NotStopped as error:
        got_through = str(error)
    print(json.dumps({"rounds": rounds, "got_through": got_through}), flush=True)
    return 0


if __name__ == "__main__":
    code = attack_until_told()
    os._exit(code)  # whatever libzmq still waits for
