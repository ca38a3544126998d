"""`advise` with a language model, as somebody at the command line meets it."""

import json

import pytest
from deciding import call
from scripted import Fault, Script, serving

pytestmark = pytest.mark.usefixtures("folder")
ANSWER = {
    "summary": "There is little to go by yet.",
    "comments": [],
    "ideas": [],
    "left_alone": [],
    "question": "How long may a trial take?",
}


@pytest.fixture(autouse=True)
def settings_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def advise(script, *options):
    with serving(script) as url:
        advisor = f"{{use: llm, model: tiny, base_url: '{url}'}}"
        return call("advise", "--advisor", advisor, *options)


def test_the_models_words_stand_apart_and_are_marked_as_such(tmp_path):
    result = advise(Script(ANSWER), "--html", "page.html")
    assert result.code == 0
    flat = " ".join(result.out.split())
    assert "In a language model's words - There is little to go by yet." in flat
    assert "it asks: How long may a trial take?" in flat
    assert "with the language model tiny at 127.0.0.1" in flat
    assert "3 calls, 2700 tokens in, 360 out" in flat
    assert "There is little to go by yet." in (tmp_path / "page.html").read_text()
    assert json.loads(call("proposals", "list", "-f", "json").out)[-1]["advisor"] == "llm"


def test_where_no_model_answers_the_statistics_are_shown_with_a_warning():
    result = advise(Script(Fault(401, {"error": {"message": "no"}})))
    assert result.code == 0
    assert "warning: no language model: the endpoint at 127.0.0.1" in result.err
    flat = " ".join(result.out.split())
    assert "WITHOUT the language model tiny" in flat and "the statistics speak alone" in flat


def test_the_study_may_name_the_model_and_the_command_only_its_kind(tmp_path):
    path = tmp_path / "study.yaml"
    with serving(Script(ANSWER)) as url:
        table = f"advisor: {{use: llm, model: mine, base_url: '{url}'}}\n"
        path.write_text(path.read_text().replace("advisor: written\n", table))
        for options in ((), ("--advisor", "llm")):
            assert "language model mine" in " ".join(call("advise", *options).out.split())
        assert "language model" not in call("advise", "--advisor", "statistical").out


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("llms", "no advisor named 'llms'; did you mean 'llm'?"),
        ("{use: llm, modell: x}", "modell"),
        ("{use: llm, samples: 0}", "samples 0 is not greater than 0"),
        ("[llm]", "--advisor '[llm]' is neither a name nor a table"),
    ],
)
def test_an_advisor_that_is_none_is_a_mistake_of_exit_code_2_or_3(given, told):
    result = call("advise", "--advisor", given)
    assert result.code in (2, 3)
    assert told in result.err


def test_another_advisor_belongs_to_advise():
    result = call("run", "--advisor", "llm")
    assert result.code == 2 and "--advisor needs --advise" in result.err
