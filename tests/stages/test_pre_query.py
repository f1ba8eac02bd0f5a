"""What stands before a user's words in the templates of well-known families of models.

The templates are short forms, written here, of what these models' tokenizers bring.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from synth.engine.chat_template import ChatTemplate
from synth.engine.scripted import ScriptedEngine
from synth.record import Message
from synth.stages.magpie import PreQuery, pre_query
from tests.running import services

LLAMA_3 = (
    "{% for message in messages %}"
    "{% set turn = '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n'"
    " + message.content | trim + '<|eot_id|>' %}"
    "{{ (bos_token if loop.first else '') + turn }}{% endfor %}"
    "{% if add_generation_prompt %}"
    "{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"
)
CHATML = (
    "{% for message in messages %}"
    "{{ '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)
QWEN_2_5 = (
    "{% if messages[0].role != 'system' %}{{ '<|im_start|>system\\nYou are Qwen, created by Alibaba"
    " Cloud. You are a helpful assistant.<|im_end|>\\n' }}{% endif %}" + CHATML
)
GEMMA = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<start_of_turn>' + message.role + '\\n' + message.content | trim + '<end_of_turn>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<start_of_turn>model\\n' }}{% endif %}"
)
PHI_3_SMALL = (
    "{{ bos_token }}{% for message in messages %}"
    "{{ '<|' + message.role + '|>\\n' + message.content + '<|end|>\\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|assistant|>\\n' }}{% endif %}"
)
DEEPSEEK_CODER = (
    "{{ bos_token }}{% for message in messages %}{% if message.role == 'user' %}"
    "{{ 'User: ' + message.content + '\\n\\n' }}{% else %}"
    "{{ 'Assistant: ' + message.content + eos_token }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ 'Assistant:' }}{% endif %}"
)
BOS = {"bos_token": "<bos>", "eos_token": "<eos>"}


class Rendering(ScriptedEngine):
    """A scripted engine that writes conversations by a real chat template."""

    template: str = CHATML

    def __init__(self, template: str) -> None:
        super().__init__(lambda _prompt, _sampling, _origin: "", template=template)

    async def chat_text(self, messages: Sequence[Message], *, reply_next: bool) -> str:
        """Return the conversation as the template writes it."""
        return ChatTemplate(self.template, BOS).render(messages, reply_next=reply_next)


@pytest.mark.parametrize(
    ("template", "before", "end"),
    [
        (LLAMA_3, "<bos><|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"),
        (CHATML, "<|im_start|>user\n", "<|im_end|>"),
        (
            QWEN_2_5,
            "<|im_start|>system\nYou are Qwen, created by Alibaba Cloud. You are a helpful "
            "assistant.<|im_end|>\n<|im_start|>user\n",
            "<|im_end|>",
        ),
        (GEMMA, "<bos><start_of_turn>user\n", "<end_of_turn>"),
        (PHI_3_SMALL, "<bos><|user|>\n", "<|end|>"),
        (DEEPSEEK_CODER, "<bos>User: ", "Assistant:"),
    ],
    ids=["llama_3", "qwen_2", "qwen_2_5", "gemma", "phi_3_small", "deepseek_coder"],
)
async def test_the_pre_query_is_that_of_the_models_own_template(
    template: str, before: str, end: str, tmp_path: Path
):
    async with services(tmp_path, engines={"teacher": Rendering(template)}) as given:
        query = await pre_query("teacher", given, steered=False)

    assert query == PreQuery(before, end)
