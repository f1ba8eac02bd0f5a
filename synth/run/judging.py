"""Have a verifier judge records, once: verdicts come from the store, workers, or engines."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import blake2b
from pathlib import Path

from synth.errors import InputError, OutsideError
from synth.record import Record, Verdict, canonical
from synth.run.boundary import fatal, reason, shown
from synth.run.process import Limits
from synth.run.worker import contract_broken
from synth.run.workers import Judged, OrderedWorker, Workers
from synth.services import Services
from synth.stages.verify import Use, Verify
from synth.store.calls import Store, VerdictRow
from synth.verification import ModelVerifier


class Judging:
    """The judging of one verify stage, by at most `workers` processes; needs room in `folder`."""

    def __init__(self, stage: Verify, store: Store, *, workers: int, folder: Path) -> None:
        limits = Limits(stage.timeout_s, stage.memory_mb)
        self._workers = Workers(workers, limits)
        self._limits = limits
        self._store = store
        self._folder = folder
        self._ordered: dict[str, OrderedWorker] = {}

    async def __call__(
        self, use: Use, records: Sequence[Record], services: Services
    ) -> list[Verdict]:
        """Return one verdict for each record; a verifier that breaks gives verdicts `error`."""
        if use.verifier.in_order:
            # Such a verdict depends on all records before: it cannot be kept by content.
            return [given.verdict for given in await self._in_order(use, records, services)]
        keys = self._keys(use, records, services)
        kept = self._store.verdicts(keys)
        missing = [place for place, key in enumerate(keys) if key not in kept]
        unjudged = [records[place] for place in missing]
        fresh = await self._judge(use, unjudged, [keys[place] for place in missing], services)
        given = dict(zip(missing, fresh, strict=True))
        return [
            given[place].verdict if place in given else _verdict(kept[key])
            for place, key in enumerate(keys)
        ]

    def _keys(self, use: Use, records: Sequence[Record], services: Services) -> list[bytes]:
        engines = [services.engine(name).identity.canonical() for name in use.verifier.engines()]
        shared = blake2b(canonical([use.key, engines]).encode(), digest_size=16)
        keys: list[bytes] = []
        for record in records:
            hashed = shared.copy()
            hashed.update(record.content.encode())
            if use.verifier.reads_judgements:
                hashed.update(_said_before(record).encode())
            keys.append(hashed.digest())
        return keys

    async def _keep(self, keys: Sequence[bytes], given: Sequence[Judged]) -> None:
        rows: list[VerdictRow] = [
            (key, canonical(judged.verdict.as_json()), round(judged.seconds, 6))
            for key, judged in zip(keys, given, strict=True)
            if judged.verdict.outcome != "error"
        ]
        if rows:
            await self._store.keep_verdicts(rows)

    async def _judge(
        self, use: Use, records: Sequence[Record], keys: Sequence[bytes], services: Services
    ) -> list[Judged]:
        """Return a verdict for each record; each is kept as soon as it is there."""
        if not records:
            return []

        async def keep(start: int, given: Sequence[Judged]) -> None:
            await self._keep(keys[start : start + len(given)], given)

        if not isinstance(use.verifier, ModelVerifier):
            return await self._workers.judge(use.spec, records, keep)
        judged = await _ask(use.verifier, records, services.within(use.label))
        await keep(0, judged)
        return judged

    async def _in_order(
        self, use: Use, records: Sequence[Record], services: Services
    ) -> list[Judged]:
        if isinstance(use.verifier, ModelVerifier):
            return await _ask(use.verifier, records, services.within(use.label))
        if use.label not in self._ordered:
            self._ordered[use.label] = OrderedWorker(use.spec, self._limits, self._folder)
        return await self._ordered[use.label].judge(records)

    async def close(self) -> None:
        """End all workers."""
        await self._workers.close()
        for worker in self._ordered.values():
            await worker.close()


def _said_before(record: Record) -> str:
    """Return the judgements of a record as canonical JSON."""
    return canonical(
        [
            [given.stage, given.label, given.verifier, given.version, given.verdict.as_json()]
            for given in record.judgements
        ]
    )


def _verdict(kept: str) -> Verdict:
    return Verdict(**json.loads(kept))


async def _ask(
    verifier: ModelVerifier, records: Sequence[Record], services: Services
) -> list[Judged]:
    """Return the verdicts of a verifier that asks engines; a batch that raises is halved."""
    try:
        verdicts = list(await verifier.judge(records, services))
        error = contract_broken(verdicts, len(records))
    except (OutsideError, InputError):
        raise
    except Exception as raised:
        if ends_run := fatal(raised):
            raise ends_run from raised
        verdicts, error = [], reason(shown(raised))
    if not error:
        return [Judged(verdict) for verdict in verdicts]
    if len(records) == 1:
        return [Judged(Verdict("error", error))]
    middle = len(records) // 2
    first = await _ask(verifier, records[:middle], services)
    return first + await _ask(verifier, records[middle:], services)
