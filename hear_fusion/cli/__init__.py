"""The command line ``hear-fusion``: one file a verb.

Each verb imports what it needs inside its function, so that ``--help`` answers at once.
"""

import os

import click

from hear_fusion.cli.compare import compare
from hear_fusion.cli.demo import demo
from hear_fusion.cli.embed import embed
from hear_fusion.cli.env import env
from hear_fusion.cli.errors import Program
from hear_fusion.cli.evaluate import evaluate
from hear_fusion.cli.features import features
from hear_fusion.cli.list import list_networks
from hear_fusion.cli.report import report
from hear_fusion.cli.show import show
from hear_fusion.cli.study import study
from hear_fusion.cli.table.duplicates import duplicates
from hear_fusion.cli.table.map import map_table
from hear_fusion.cli.table.search import search
from hear_fusion.cli.table.select import select
from hear_fusion.cli.tasks import tasks
from hear_fusion.cli.weights import weights


@click.group(
    cls=Program, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100}
)
@click.version_option(package_name="hear_fusion", message="%(prog)s %(version)s")
def main() -> None:
    """General-purpose audio embeddings from the layers of networks that already exist."""
    # Threads that wait shall sleep: spinning ones make small matrices ten times slower on a machine
    # that does something else besides. Read when torch is imported, which the verbs do later.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


_VERBS = (
    list_networks, weights,
    features, search, duplicates, select, map_table, show,
    tasks, embed, evaluate, study, report, compare, demo, env,
)  # fmt: skip
for _verb in _VERBS:
    main.add_command(_verb)
