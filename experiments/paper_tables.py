"""The tables that commands make: the papers', and rows of our own."""

from experiments.methods import METHODS
from experiments.papers import bayes_by_hypernet
from experiments.papers.paper import Row

ATTACKS = bayes_by_hypernet.ATTACKS
CAUSES = bayes_by_hypernet.CAUSES
SAME_RUNS = bayes_by_hypernet.SAME_RUNS
# Okabe and Ito's colours, told apart by colour-blind readers too.
_COLORS = (
    *("#000000", "#E69F00", "#0072B2", "#009E73", "#56B4E9", "#D55E00"),
    *("#CC79A7", "#999999", "#882255", "#44AA99"),
)


def _with_own(key, table):
    """Adds the methods that name a table of methods as theirs."""
    own = {
        method.name: Row(method.title, None, {"method": method.name})
        for method in METHODS.values()
        if key in method.tables
    }
    return table._replace(rows={**table.rows, **own})


TABLES = {
    key: _with_own(key, table)
    for key, table in bayes_by_hypernet.TABLES.items()
}


def place(config):
    """Returns the table and the row of a run.

    Args:
        config: a run's configuration, as its `config.json` has it.

    Returns:
        `(table, row)`: two keys.
    """
    # Runs of version 0.1 knew Table 3 only.
    table = config.get("table", "mnist_methods")
    return table, config.get("row", config["method"])


def same_runs(table, row):
    """Returns the places, `(table, row)`, of the runs that a row is: its own,
    and that of another table where both are one run.
    """
    places = {(table, row), SAME_RUNS.get((table, row), (table, row))}
    places |= {one for one, other in SAME_RUNS.items() if other == (table, row)}
    return sorted(places)


def run_name(config):
    """Returns `<row>/seed_<seed>`, a run's place in an output folder."""
    _, row = place(config)
    return f"{row}/seed_{config['seed']}"


def row_of(config):
    """Returns the `Row` of a run's configuration."""
    table, row = place(config)
    return TABLES[table].rows[row]


def data_of(config):
    """Returns what the paper's figures for a run's table were taken on."""
    return TABLES[place(config)[0]].data


def color_of(config):
    """Returns the colour of a run: its method's, or its place's in the table.

    Where rows are of one method, the place tells them apart.
    """
    table, row = place(config)
    rows = TABLES[table].rows
    methods = [found.settings["method"] for found in rows.values()]
    if len(set(methods)) == len(methods):
        return METHODS[rows[row].settings["method"]].color
    return _COLORS[list(rows).index(row) % len(_COLORS)]
