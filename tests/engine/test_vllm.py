"""Real vLLM on the CPU: the engine in process, then the same through its own server.

Slow to start and hungry, so there is one engine and, when that is closed, one server.
"""
# vLLM, torch and transformers are not installed where types are checked.
# pyright: reportMissingImports=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import asyncio
import json
import math
import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio
from pydantic import JsonValue

from synth.engine.base import Chat, Engine, Origin, Sampling, Text
from synth.engine.http import HttpEngine
from synth.engine.vllm import VllmEngine
from synth.errors import CallFailed, InputError
from tests.engine.with_transformers import check_scores_are_those_of_hf, logprob

pytestmark = [
    pytest.mark.vllm,
    pytest.mark.asyncio(loop_scope="module"),
    # vLLM and torch warn of much that is theirs.
    pytest.mark.filterwarnings("default"),
]

ROOT = Path(__file__).parents[2]
FOR_TESTS = {
    "HF_HUB_OFFLINE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    # Binding threads to cores makes two processes fight for the same ones.
    "VLLM_CPU_OMP_THREADS_BIND": "nobind",
}
ARGUMENTS: dict[str, JsonValue] = {
    "max_model_len": 512,
    "enforce_eager": True,
    "dtype": "float32",
}
ORIGIN = Origin("record", "respond")
FRANCE = Chat(({"role": "user", "content": "Name the capital of France."},))
GREEDY = Sampling(temperature=0, max_tokens=16)
ANSWER = " The capital of France is Paris, naïve 🙂."
END_OF_TURN = 2
SERVER_STARTS_S = 300


@pytest.fixture(scope="module")
def model() -> Path:
    cache = Path(os.environ.get("SYNTH_TEST_CACHE") or ROOT / ".cache" / "smollm2")
    folder = cache / "SmolLM2-135M-Instruct"
    if not folder.is_dir():
        cache.mkdir(parents=True, exist_ok=True)
        script = Path(__file__).with_name("smollm2.py")
        subprocess.run([sys.executable, script, folder], check=True, timeout=600)
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def engine(model: Path) -> AsyncIterator[VllmEngine]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in FOR_TESTS.items():
            environment.setenv(name, value)
        engine = VllmEngine(model=str(model), engine_args=ARGUMENTS)
        await engine.start()
        yield engine
        await engine.close()


def _is_ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=5) as answer:  # noqa: S310 (our own)
            return answer.status == 200
    except OSError:
        return False


@pytest.fixture(scope="module")
def url(model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server"]
    command += ["--model", str(model), "--served-model-name", "smollm2", "--port", str(port)]
    command += ["--max-model-len", "512", "--enforce-eager", "--dtype", "float32"]
    log = tmp_path_factory.mktemp("server") / "log"
    with log.open("w") as written:
        environment = {**os.environ, **FOR_TESTS}
        server = subprocess.Popen(command, env=environment, stdout=written, stderr=written)
    try:
        deadline = time.monotonic() + SERVER_STARTS_S
        while not _is_ready(url):
            assert server.poll() is None, log.read_text()[-4000:]
            assert time.monotonic() < deadline, log.read_text()[-4000:]
            time.sleep(0.3)
        yield f"{url}/v1"
    finally:
        server.terminate()
        server.wait(60)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(url: str) -> AsyncIterator[HttpEngine]:
    engine = HttpEngine(url=url, model="smollm2")
    await engine.start()
    yield engine
    await engine.close()


async def user_turn(engine: Engine) -> Text:
    """What Magpie sends: everything that the template writes before a user's first word."""
    text = await engine.chat_text([{"role": "user", "content": "@@"}], reply_next=False)
    return Text(text.split("@@", maxsplit=1)[0], add_special_tokens=False)


async def check_a_chat_is_answered(engine: Engine):
    reply = await engine.complete(FRANCE, GREEDY, ORIGIN)

    assert reply.text == "The capital of France is Paris."
    assert reply.finish_reason == "stop"
    assert (reply.usage.prompt_tokens, reply.usage.completion_tokens) == (36, 8)


async def check_a_user_turn_is_drawn(engine: Engine):
    prompt = await user_turn(engine)
    sampling = Sampling(temperature=1, max_tokens=64, stop_token_ids=(END_OF_TURN,))

    turns = [
        await engine.complete(prompt, sampling.model_copy(update={"seed": seed}), ORIGIN)
        for seed in range(4)
    ]

    assert "stop" in {turn.finish_reason for turn in turns}
    assert all(len(turn.text.split()) > 3 for turn in turns)
    assert not any("<|im" in turn.text for turn in turns)


async def check_log_probabilities_are_those_of_transformers(engine: Engine, model: Path):
    text = await engine.chat_text(FRANCE.messages, reply_next=True)

    scored = await engine.logprobs(FRANCE, ANSWER, ORIGIN)

    wanted = await asyncio.to_thread(logprob, model, text, ANSWER)
    assert math.isclose(sum(scored.logprobs), wanted, abs_tol=2e-2)
    assert len(scored.tokens) == len(scored.logprobs)
    assert scored.tokens[:3] == (" The", " capital", " of")


async def check_sixty_four_calls_are_in_flight(engine: Engine):
    prompt = await user_turn(engine)
    samplings = [Sampling(temperature=1, seed=seed, max_tokens=12) for seed in range(64)]

    turns = await asyncio.gather(*(engine.complete(prompt, s, ORIGIN) for s in samplings))

    assert len({turn.text for turn in turns}) > 48
    assert all(0 < turn.usage.completion_tokens <= 12 for turn in turns)


async def test_a_chat_is_answered(engine: VllmEngine):
    await check_a_chat_is_answered(engine)


async def test_a_user_turn_is_drawn_from_the_template_alone(engine: VllmEngine):
    await check_a_user_turn_is_drawn(engine)


async def test_log_probabilities_are_those_of_transformers(engine: VllmEngine, model: Path):
    await check_log_probabilities_are_those_of_transformers(engine, model)


async def test_ifd_is_that_of_hf(engine: VllmEngine, model: Path):
    await check_scores_are_those_of_hf(engine, model)


async def test_a_token_that_straddles_the_border_counts_to_the_continuation(engine: VllmEngine):
    scored = await engine.logprobs(Text("Hello wor"), "ld again", ORIGIN)

    assert scored.tokens == (" world", " again")
    assert all(logprob < 0 for logprob in scored.logprobs)


async def test_a_text_and_its_token_ids_are_scored_alike(engine: VllmEngine):
    as_text = await engine.logprobs(Text("Hi"), " there", ORIGIN)
    as_tokens = await engine.logprobs(Text((26843,)), " there", ORIGIN)

    assert as_text.tokens == as_tokens.tokens == (" there",)
    assert math.isclose(as_text.logprobs[0], as_tokens.logprobs[0], abs_tol=1e-3)


async def test_sixty_four_calls_are_in_flight(engine: VllmEngine):
    await check_sixty_four_calls_are_in_flight(engine)


async def test_a_reply_meets_its_json_schema(engine: VllmEngine):
    schema: dict[str, JsonValue] = {
        "type": "object",
        "properties": {"city": {"type": "string", "maxLength": 12}},
        "required": ["city"],
        "additionalProperties": False,
    }
    sampling = Sampling(temperature=0, max_tokens=80, json_schema=schema)

    reply = await engine.complete(FRANCE, sampling, ORIGIN)

    assert list(json.loads(reply.text)) == ["city"]


async def test_a_reply_begins_with_its_prefill_and_ends_before_a_stop_text(engine: VllmEngine):
    sampling = GREEDY.model_copy(update={"prefill": "Well, the", "stop": (" Paris",)})

    reply = await engine.complete(FRANCE, sampling, ORIGIN)

    assert reply.text == "Well, the capital of France is"
    assert reply.finish_reason == "stop"


async def test_the_likeliest_tokens_are_told(engine: VllmEngine):
    sampling = Sampling(temperature=0, max_tokens=2, top_logprobs=3)

    reply = await engine.complete(FRANCE, sampling, ORIGIN)

    assert reply.top_logprobs is not None
    assert [len(place) for place in reply.top_logprobs] == [3, 3]
    assert reply.top_logprobs[0][0][0] == "The"
    assert 0 >= reply.top_logprobs[0][0][1] >= reply.top_logprobs[0][1][1]


@pytest.mark.parametrize(
    ("prompt", "sampling", "said"),
    [
        (Text("word " * 600), GREEDY, r"^prompt_too_long: \d+ tokens .* holds 512"),
        (FRANCE, Sampling(presence_penalty=7), r"^refused: .*presence_penalty"),
        (FRANCE, Sampling(json_schema={"type": "nonsense"}), "^refused: .*nonsense"),
    ],
)
async def test_a_call_that_cannot_be_answered_fails_alone(
    engine: VllmEngine, prompt: Chat | Text, sampling: Sampling, said: str
):
    with pytest.raises(CallFailed, match=said):
        await engine.complete(prompt, sampling, ORIGIN)


async def test_a_cancelled_call_ends_at_once(engine: VllmEngine):
    endless = Sampling(temperature=0, logit_bias={str(END_OF_TURN): -100.0})
    call = asyncio.create_task(engine.complete(FRANCE, endless, ORIGIN))
    await asyncio.sleep(0.3)

    call.cancel()

    with pytest.raises(asyncio.CancelledError):
        await call
    assert (await engine.complete(FRANCE, GREEDY, ORIGIN)).finish_reason == "stop"


async def test_an_unknown_engine_argument_is_refused_with_the_nearest_one(model: Path):
    engine = VllmEngine(model=str(model), engine_args={"max_model_length": 512})

    with pytest.raises(InputError, match=r"'max_model_length'.*Did you mean 'max_model_len'\?"):
        await engine.start()


async def test_nothing_of_a_closed_engine_is_left(engine: VllmEngine):
    # The last that uses the engine: it closes the one that all tests above share.
    processes = vllm_processes()

    await engine.close()

    assert processes
    assert vllm_processes() == set()


def vllm_processes() -> set[int]:
    """Return the living processes of vLLM below this one, and those dead that nobody waited for."""
    stats = [Path(f"/proc/{name}/stat") for name in os.listdir("/proc") if name.isdigit()]  # noqa: PTH208
    parents: dict[int, int] = {}
    for stat in stats:
        try:
            number, _, rest = stat.read_text().partition(" (")
        except OSError:
            continue
        parents[int(number)] = int(rest.rpartition(")")[2].split()[1])
    below = {os.getpid()}
    while more := {n for n, parent in parents.items() if parent in below} - below:
        below |= more
    return {n for n in below - {os.getpid()} if "VLLM" in Path(f"/proc/{n}/comm").read_text()}


async def test_the_server_answers_a_chat(served: HttpEngine):
    await check_a_chat_is_answered(served)


async def test_a_user_turn_is_drawn_by_the_server(served: HttpEngine):
    await check_a_user_turn_is_drawn(served)


async def test_the_servers_log_probabilities_are_those_of_transformers(
    served: HttpEngine, model: Path
):
    await check_log_probabilities_are_those_of_transformers(served, model)


async def test_the_servers_ifd_is_that_of_hf(served: HttpEngine, model: Path):
    await check_scores_are_those_of_hf(served, model)


async def test_sixty_four_calls_are_in_flight_at_the_server(served: HttpEngine):
    await check_sixty_four_calls_are_in_flight(served)


async def test_a_recipe_makes_a_dataset_with_the_server(url: str, tmp_path: Path):
    await check_a_recipe_makes_a_dataset({"http": {"url": url, "model": "smollm2"}}, tmp_path)


async def test_a_recipe_makes_a_dataset_in_process(model: Path, tmp_path: Path):
    arguments: dict[str, JsonValue] = {"model": str(model), "engine_args": ARGUMENTS}

    await check_a_recipe_makes_a_dataset({"vllm": arguments}, tmp_path)


SHORT: Any = {"temperature": 1, "max_tokens": 24}
TALK: Any = {"engine": "teacher", "turns": 2, "sampling": SHORT}
METHODS: dict[str, Any] = {
    "magpie": {**TALK, "reply_sampling": SHORT},
    "respond": {"engines": {"math": "expert", "*": "teacher"}, "sampling": {"max_tokens": 8}},
    "dialogue": {**TALK, "n": 8, "user_sampling": SHORT},
    "tag": {"engine": "teacher", "tags": ["category"], "sampling": {"max_tokens": 64}},
}


@pytest.mark.parametrize("stage", METHODS)
async def test_a_method_runs_with_the_server(url: str, stage: str, tmp_path: Path):
    server: Any = {"http": {"url": url, "model": "smollm2"}}
    seeds = [{"instruction": "Name a fruit.", "domain": domain} for domain in ("math", "law")]
    (tmp_path / "seeds.jsonl").write_text("\n".join(map(json.dumps, seeds)))
    engines = {"teacher": server, "expert": server}
    named: Any = {"count": 16} if stage == "magpie" else ["seeds.jsonl"]

    recipe = {"name": "m", "seeds": named, "engines": engines, "stages": [{stage: METHODS[stage]}]}
    await run(tmp_path, recipe)

    left = rows(tmp_path, f"SELECT state, fields FROM records WHERE stage = '{stage}'")
    fields = [json.loads(written) for state, written in left if state == "live"]
    assert fields
    if stage == "respond":
        assert {one["expert"] for one in fields} == {"expert", "teacher"}
    if stage == "tag":
        assert all(one["task_category"] for one in fields)


async def check_a_recipe_makes_a_dataset(engine: Any, folder: Path):
    stages: Any = [
        {"magpie": {"engine": "teacher", "sampling": {"temperature": 1, "max_tokens": 32}}},
        {"respond": {"engine": "teacher", "sampling": {"temperature": 0, "max_tokens": 8}}},
    ]
    recipe: Any = {"name": "real", "seeds": {"count": 64}, "engines": {"teacher": engine}}
    before = vllm_processes()

    await run(folder, {**recipe, "stages": stages})

    counts = "SELECT state, count(*) FROM records WHERE stage = 'respond' GROUP BY state"
    assert dict(rows(folder, counts))["live"] >= 4
    assert vllm_processes() == before


async def run(folder: Path, recipe: Any) -> None:
    """Run a recipe in `folder`/run, in a process of its own."""
    (folder / "recipe.yaml").write_text(json.dumps(recipe))
    command = [Path(sys.executable).with_name("synth"), "run", "recipe.yaml", "--into", "run"]
    ended = await asyncio.to_thread(
        subprocess.run, command, cwd=folder, env={**os.environ, **FOR_TESTS},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr


def rows(folder: Path, sql: str) -> list[tuple[Any, ...]]:
    """Return what a query says of the run in `folder`/run."""
    with duckdb.connect(str(folder / "run" / "dataset.duckdb"), read_only=True) as database:
        return database.execute(sql).fetchall()
