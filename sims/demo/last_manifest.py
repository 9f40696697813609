"""The manifest of the demo's last consignment, as a police station gets it with the box."""

from __future__ import annotations

from pathlib import Path

from controller.ledger.store import open_ledger
from controller.packing.manifest import digest_of, manifest_csv, read_manifest
from controller.packing.page import manifest_page
from sims.demo.folder import DemoFolder


async def last_manifest(folder: DemoFolder) -> bytes:
    """Give the manifest file of the last consignment, once every process has stopped; empty when nothing was sent.

    Raises: LedgerError: the ledger does not open or cannot be read.
    """
    async with open_ledger(folder.data) as ledger:
        newest = ledger.reader.sent(limit=1)
        manifest = ledger.reader.manifest(newest[0].consignment_id) if newest else None
    return manifest_csv(manifest) if manifest else b""


def write_manifest(file: bytes, table: Path, page: Path) -> None:
    """Write the file and its page; nothing when nothing was sent.  Raises: OSError."""
    if file:
        table.write_bytes(file)
        page.write_text(manifest_page(file), "utf-8")


def manifest_line(file: bytes) -> str:
    """Give one line for the screen: which consignment it is, and the digest to compare with `sha256sum`."""
    if not file:
        return "manifest: nothing was sent"
    manifest = read_manifest(file)
    return f"manifest of consignment {manifest.consignment_id}: {len(manifest.cards):,} cards, sha256 {digest_of(file)}"
