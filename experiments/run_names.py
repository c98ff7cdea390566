"""What runs are called where several are looked at together."""

from experiments import paper_tables


def file_name(config):
    """Names a run among all runs, for files."""
    table, row = paper_tables.place(config)
    return f"{table}_{row}_seed_{config['seed']}"


def names(configs):
    """Names runs for readers, as briefly as tells them apart.

    Args:
        configs: list of configurations.

    Returns:
        List of texts.
    """
    parts = [
        [paper_tables.row_of(config).name, config["dataset"]]
        for config in configs
    ]
    if len({dataset for _, dataset in parts}) == 1:
        parts = [[name] for name, _ in parts]
    short = [", ".join(part) for part in parts]
    return [
        name if short.count(name) == 1 else f"{name}, seed {config['seed']}"
        for name, config in zip(short, configs)
    ]
