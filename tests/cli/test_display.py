"""What a run says of itself while it runs."""

from __future__ import annotations

import asyncio

from synth.cli.display import line, time_left
from synth.engine.base import Chat, Completion, Origin, Prompted, Sampling
from synth.engine.cached import Tally
from synth.engine.patient import PatientEngine
from synth.engine.scripted import ScriptedEngine
from synth.errors import Outage
from synth.run.progress import Progress, StageProgress


def running() -> Progress:
    """Return a run of 100 seeds, 40 of which have been answered."""
    seeds, respond = StageProgress("seeds"), StageProgress("respond")
    seeds.offered = seeds.taken = seeds.done = 100
    seeds.finished = True
    respond.offered, respond.done = 100, 40
    respond.took(60)
    return Progress("trial", [seeds, respond])


def test_a_line_tells_how_far_each_stage_is():
    assert "respond 40/60" in line(running())


async def test_a_line_tells_requests_in_flight_and_since_when_and_why_nobody_was_answered():
    async def refuse(_prompt: Prompted, _sampling: Sampling, _origin: Origin) -> Completion:
        raise Outage("no_connection: nobody there" + "!" * 200, blames_call=False)

    patient = PatientEngine(ScriptedEngine(refuse), first_wait_s=60)
    progress = running()
    progress.engines, progress.patience = {"teacher": Tally()}, {"teacher": patient}
    call = asyncio.create_task(patient.complete(Chat(()), Sampling(), Origin("", "trial")))
    await asyncio.sleep(0.05)

    said = line(progress)

    call.cancel()
    assert "teacher 0 in flight" in said
    assert "no answer for" in said
    assert "(no_connection: nobody there!!!" in said
    assert len(said) < 250


def test_the_time_left_is_known_once_all_seeds_are():
    progress = running()

    known = time_left(progress)
    progress.stages[0].finished = False

    assert known is not None
    assert time_left(progress) is None
