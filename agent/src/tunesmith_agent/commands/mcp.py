"""`tunesmith mcp`: a study for chat clients, over the Model Context Protocol."""

import click

from tunesmith.cli.output import study_argument


@click.command("mcp", short_help="Serve a study to chat clients (Model Context Protocol).")
@study_argument
def command(study: str) -> None:
    """Let a chat client look at the evidence of STUDY and propose edits, over stdin and stdout.

    Clients start this command themselves. Deciding stays with `tunesmith proposals`.
    """
    from tunesmith_agent.mcp_server import serve

    serve(study)
