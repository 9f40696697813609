"""The conformance kit: an upstream that keeps and breaks `docs/protocol.md` on purpose, and judges what is answered."""
