from pathlib import Path
from typing import Any

import pytest

trl = pytest.importorskip("trl")
transformers = pytest.importorskip("transformers")

pytestmark = pytest.mark.trainers

FOLDER = Path(trl.__file__).parent / "chat_templates"
TEMPLATES = {path.stem: path.read_text() for path in sorted(FOLDER.glob("*.jinja"))}
"""Chat templates of model families, as TRL ships them; those that end in `_training` are its own variants."""

IN_PARTS = ("idefics3", "llava_next", "smolvlm")
"""Families that also see pictures, and take a message's content as a list of parts only."""

KEEPS_THINKING = ("qwen3_training", "qwen3_6_training", "muse_glimmer")

Messages = list[dict[str, Any]]

every_template = pytest.mark.parametrize("name", TEMPLATES)


def render(tokenizer: Any, name: str, messages: Messages) -> str:
    """A conversation as text, as a trainer does it: for some families it first makes parts of contents."""
    given = trl.data_utils.prepare_multimodal_messages(messages) if name.startswith(IN_PARTS) else messages
    return str(tokenizer.apply_chat_template(given, chat_template=TEMPLATES[name], tokenize=False))


def without_thinking(messages: Messages) -> Messages:
    """The same conversation of an operator whose thoughts nobody knows."""
    return [{"role": message["role"], "content": message["content"]} for message in messages]


def as_loaded(messages: Messages) -> Messages:
    """With the published features a key that only other messages have is null."""
    return [
        {"role": message["role"], "content": message["content"], "thinking": message.get("thinking")}
        for message in messages
    ]


def assert_in_order(texts: list[str], rendered: str) -> None:
    """Each text is there, behind the one before."""
    position = 0
    for text in texts:
        found = rendered.find(text, position)
        assert found >= 0, text
        position = found + len(text)


def test_there_are_templates_of_the_common_families() -> None:
    """What TRL ships covers them."""
    for family in [
        "cohere",
        "deepseek",
        "gemma",
        "glm4",
        "gptoss",
        "lfm2",
        "llama3",
        "nemotron",
        "phi3",
        "qwen2_5",
        "qwen3",
    ]:
        assert any(name.startswith(family) for name in TEMPLATES), family


@every_template
def test_rows_render(name: str, tokenizer: Any, conversations: list[Messages]) -> None:
    """Each message's content is in the text, in order, silence among them, with `thinking` and without (TOK-1)."""
    for messages in conversations:
        for given in (messages, without_thinking(messages)):
            assert_in_order([message["content"] for message in given], render(tokenizer, name, given))


@every_template
def test_loading_does_not_change_what_is_rendered(name: str, tokenizer: Any, conversations: list[Messages]) -> None:
    """`thinking` that is null after loading is rendered like `thinking` that is absent (ROW-3)."""
    for messages in conversations:
        assert render(tokenizer, name, as_loaded(messages)) == render(tokenizer, name, messages)


@pytest.mark.parametrize("name", ["gptoss", "lfm2_2_5"])
def test_a_template_by_itself_may_refuse_null(name: str, conversations: list[Messages]) -> None:
    """That is why an export omits `thinking`: null is taken for text unless somebody drops it before (ROW-3)."""
    quiet = without_thinking(conversations[0])
    bare = transformers.utils.chat_template_utils.render_jinja_template
    bare([quiet], chat_template=TEMPLATES[name])
    with pytest.raises(TypeError):
        bare([as_loaded(quiet)], chat_template=TEMPLATES[name])


@pytest.mark.parametrize("name", KEEPS_THINKING)
def test_families_that_think_are_given_the_raw_thoughts(
    name: str, tokenizer: Any, conversations: list[Messages]
) -> None:
    """`thinking` stands before the content that it belongs to (TOK-2)."""
    for messages in conversations:
        texts = [message[key] for message in messages for key in ("thinking", "content") if key in message]
        assert_in_order(texts, render(tokenizer, name, messages))
