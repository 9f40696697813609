"""The messages that `docs/protocol.md` shows byte by byte, by the names they have there."""

from __future__ import annotations

from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from controller import wire
from controller.application import Application
from controller.asking.submission import batch_digest, encode_application
from controller.evidence.signing import Signer
from devices import messages as station
from devices.messages import Fate, PositionResult, PositionWork, SheetResult, SheetWork, StationState

BATCH = "5201020000002026031200001"
APPLICATION = encode_application(  # of somebody who does not exist, with a portrait far too short to be one
    Application(
        acceptance_number="5201020012026031200001",
        card_kind="second",
        identity_number="11010119900307125X",
        name="样例甲",
        sex="1",
        ethnic="01",
        birth="19900307",
        address="样例省样例市样例路1号",
        address_county="520102",
        authority="样例市公安局样例分局",
        valid_from="20260310",
        valid_until="20460310",
        reason="21",
        production_type="1",
        fee_class="standard",
        unit="520102001",
        portrait=b"\xff\xd8\xff\xd9",
    )
)

SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))), "cardmill")  # a secret that everybody knows
RECEIPT = SIGNER.signed(
    wire.Receipt(
        number=1,
        kind="refused",
        batch_number=BATCH,
        acceptance_number="5201020012026031200001",
        index=0,
        codes=["portrait.truncated"],
        fields=["portrait"],
        texts=["相片文件不完整，请重新上传。 / Send the portrait again: the file is cut short."],
        at_floor_s=1773302401.5,
        chain="5f" * 32,
    ),
    "city-1",
)

EXAMPLES: dict[str, Any] = {
    "hello": wire.Hello(request=1, version=1),
    "welcome": wire.Welcome(
        request=1,
        version=1,
        you="city-1",
        limits=wire.Limits(),
        floor_date="20260312",
        floor_s=1773302400.0,
        scale=1.0,
        simulated=False,
    ),
    "application": msgspec.Raw(APPLICATION),
    "batch": wire.OpenBatch(request=2, batch_number=BATCH, due="20260401", count=1, digest=batch_digest([APPLICATION])),
    "batch_state": wire.BatchState(request=2, batch_number=BATCH, state="receiving", missing=[(0, 1)]),
    "chunk": wire.Chunk(request=3, batch_number=BATCH, first=0, applications=[msgspec.Raw(APPLICATION)]),
    "chunk_stored": wire.ChunkStored(request=3, batch_number=BATCH, first=0, count=1),
    "busy": wire.Busy(request=3, retry_after_s=0.5),
    "fetch": wire.FetchReceipts(request=4, after=0),
    "receipts": wire.Receipts(request=4, items=[RECEIPT], more=False),
    "acknowledge": wire.AcknowledgeReceipts(request=5, upto=1),
    "acknowledged": wire.Acknowledged(request=5, upto=1),
    "error": wire.Refusal(request=6, code="batch.unknown", text="announce this batch first", field="batch_number"),
    "correct": wire.CorrectApplication(
        request=7, acceptance_number="5201020012026031200001", revision=1, application=msgspec.Raw(APPLICATION)
    ),
    "corrected": wire.Corrected(
        request=7, acceptance_number="5201020012026031200001", revision=1, batch_number=f"{BATCH}-C1-0"
    ),
    "command": wire.Command(
        request=1, verb="decide", args={"card": 10003, "decision": "release", "reason": "seen in the register"}
    ),
    "done": wire.Done(request=1, result={}),
    "station_hello": station.Hello(version=1, step="punch", model="P-400", load_max=1, state=StationState.IDLE),
    "station_welcome": station.Welcome(version=1, centre="cardmill", floor_s=1773302400.0, scale=1.0),
    "station_status": station.Status(state=StationState.IDLE, since_floor_s=1773302400.0),
    "start": station.Start(job_id=41, step="punch", sheets=[SheetWork(7)]),
    "start_write": station.Start(
        job_id=52,
        step="write",
        sheets=[SheetWork(7, [PositionWork(record=b"\x01\x02", portrait=b"\x03"), *[PositionWork()] * 7])],
    ),
    "taken": station.JobTaken(job_id=41),
    "job_done": station.JobDone(
        job_id=41,
        started_floor_s=1773302410.0,
        ended_floor_s=1773302419.0,
        sheets=[
            SheetResult(
                7, Fate.DONE, positions=[PositionResult("C2" if position == 3 else "00") for position in range(8)]
            )
        ],
    ),
    "release": station.Release(job_ids=[41]),
    "magazine": station.Magazine(issue_id=3, first_body=50000001, sheets=48),
}
