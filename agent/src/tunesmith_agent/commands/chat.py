"""`tunesmith chat`: a conversation about a study's search space."""

import click

from tunesmith.cli.output import study_argument


@click.command("chat", short_help="Talk about a study's space, and decide on edits.")
@study_argument
@click.option("--as", "author", help="Who speaks; else who is logged in.")
def command(study: str, author: str | None) -> None:
    """Hold a refinement session about STUDY: ask, change the draft of edits, lock, decide.

    Type 'help' for what can be said. Leave with 'quit' and come back: the session lasts.
    """
    from tunesmith.rounds import user
    from tunesmith_agent.chat.terminal import chat

    chat(study, author or user())
