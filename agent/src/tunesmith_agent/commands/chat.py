"""`tunesmith chat`: a conversation about a study's search space."""

import click

from tunesmith.cli.output import study_argument


@click.command("chat", short_help="Talk about a study's space, and decide on edits.")
@study_argument
@click.option("--as", "author", help="Who speaks; else who is logged in.")
@click.option("--advisor", help="A language model to talk with: 'llm', or a table of options.")
def command(study: str, author: str | None, advisor: str | None) -> None:
    """Hold a refinement session about STUDY: ask, change the draft of edits, lock, decide.

    Type 'help' for the commands. What is none goes to the language model of the study's advisor,
    if it has one; a model may only suggest commands, which you confirm. Leave with 'quit' and come
    back: the session lasts.
    """
    from tunesmith.rounds import user
    from tunesmith_agent.chat.terminal import chat

    chat(study, author or user(), advisor)
