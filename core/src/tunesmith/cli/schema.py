"""`tunesmith schema`: the JSON Schema of study files, for editors."""

import click


@click.command("schema", short_help="Print the JSON Schema of study files.")
def command() -> None:
    """Print the JSON Schema of a study file, with the options of all installed components.

    Save it and name it in the file's first line: '# yaml-language-server:
    $schema=study.schema.json'.
    """
    from tunesmith.cli.output import show_data
    from tunesmith.plugins import installed
    from tunesmith.study_schema import study_schema

    show_data(study_schema(installed()), "json")
