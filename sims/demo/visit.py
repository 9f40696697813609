"""What whoever looks around in the demo's console needs to know: where it is, and how to get in."""

from __future__ import annotations

import json

from sims.demo.folder import VISITORS, DemoFolder


def invitation(folder: DemoFolder) -> str:
    """Give the console's address, the code for the first account, and how a second person gets in."""
    address = json.loads(folder.endpoints_file.read_text("utf-8"))["console"]
    code = folder.first_run_file.read_text("utf-8").strip()
    first, second = VISITORS
    return (
        f"\nThe console is at {address}/first-run\n"
        f"  one-time code: {code}\n"
        f"  name: {first}, who may do everything; the password is yours to choose\n"
        f"For what takes two people, a second account, to be used in another browser or a private window:\n"
        f"  cardmill accounts add {second} --data {folder.data}\n"
    )
