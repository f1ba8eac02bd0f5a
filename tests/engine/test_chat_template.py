"""Chat templates of strangers, rendered here."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from synth.engine.chat_template import ChatTemplate
from synth.errors import CallFailed
from synth.record import Message

HELLO = (Message(role="user", content="Hello <you> & é"),)
CHATML = """{% for message in messages %}
{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + '\\n' }}
{%- endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}"""


def folder_with(path: Path, config: dict[str, Any], **files: str) -> Path:
    (path / "tokenizer_config.json").write_text(json.dumps(config), "utf-8")
    for name, text in files.items():
        (path / f"{name}.jinja").write_text(text, "utf-8")
    return path


def test_a_conversation_is_written_as_the_model_writes_it():
    template = ChatTemplate("{% for m in messages %}\n[{{ m.role }}]{{ m.content }}\n{% endfor %}")

    assert template.render(HELLO, reply_next=False) == "[user]Hello <you> & é\n"


def test_the_header_of_the_reply_is_written_when_asked():
    template = ChatTemplate(CHATML)

    assert template.render(HELLO, reply_next=True).endswith("<|im_start|>assistant\n")
    assert "assistant" not in template.render(HELLO, reply_next=False)


def test_a_folder_brings_template_and_special_tokens(tmp_path: Path):
    config = {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": None}
    written = "{{ bos_token }}{{ messages[0].content }}{{ eos_token }}{{ pad_token }}"
    folder = folder_with(tmp_path, config, chat_template=written)

    template = ChatTemplate.read(folder)

    assert template.render(HELLO, reply_next=False) == "<s>Hello <you> & é</s>"


@pytest.mark.parametrize(
    "kept",
    [
        "{{ messages[0].content }}",
        [{"name": "tool_use", "template": "no"},
         {"name": "default", "template": "{{ messages[0].content }}"}],
    ],
)  # fmt: skip
def test_the_template_may_stand_in_the_tokenizers_settings(tmp_path: Path, kept: Any):
    template = ChatTemplate.read(folder_with(tmp_path, {"chat_template": kept}))

    assert template.render(HELLO, reply_next=False) == HELLO[0]["content"]


def test_a_file_takes_its_special_tokens_from_beside_it(tmp_path: Path):
    folder = folder_with(tmp_path, {"bos_token": "<s>"}, mine="{{ bos_token }}!")

    assert ChatTemplate.read(folder / "mine.jinja").render(HELLO, reply_next=False) == "<s>!"


def test_a_folder_without_a_template_is_refused(tmp_path: Path):
    with pytest.raises(ValueError, match="found neither"):
        ChatTemplate.read(folder_with(tmp_path, {}))


def test_settings_that_are_no_json_are_refused(tmp_path: Path):
    (tmp_path / "tokenizer_config.json").write_text("{", "utf-8")

    with pytest.raises(ValueError, match=r"tokenizer_config\.json is no JSON"):
        ChatTemplate.read(tmp_path)


def test_a_template_that_does_not_parse_is_refused_with_its_line():
    with pytest.raises(ValueError, match="line 2"):
        ChatTemplate("fine\n{% if %}")


def test_a_template_may_refuse_a_conversation():
    template = ChatTemplate("{{ raise_exception('roles must alternate') }}")

    with pytest.raises(CallFailed, match=r"^chat_template_failed: roles must alternate"):
        template.render(HELLO, reply_next=False)


@pytest.mark.parametrize("broken", ["{{ strftime_now('%Y') }}", "{{ 1 + 'a' }}", "{{ x.y.z }}"])
def test_a_template_that_breaks_fails_its_call(broken: str):
    with pytest.raises(CallFailed, match="chat_template_failed"):
        ChatTemplate(broken).render(HELLO, reply_next=False)


def test_a_template_cannot_reach_out_of_its_sandbox():
    escape = "{{ messages.__class__.__mro__[1].__subclasses__() }}"

    with pytest.raises(CallFailed, match="unsafe"):
        ChatTemplate(escape).render(HELLO, reply_next=False)


def test_what_common_templates_use_is_there():
    used = (
        "{% for m in messages %}{% generation %}{{ m | tojson }}{% endgeneration %}{% break %}"
        "{% endfor %}{% if strftime_now is defined %}date{% endif %}{{ tools or '' }}"
    )

    written = ChatTemplate(used).render(HELLO, reply_next=False)

    assert written == '{"role": "user", "content": "Hello <you> & é"}'
