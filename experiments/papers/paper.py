"""What a table of a paper is, as data."""

import typing


class Figures(typing.NamedTuple):
    """What the paper prints in a row of Tables 1 to 5."""

    error_percent: float
    in_auc: float
    outlier_auc: float
    seconds: float


class Row(typing.NamedTuple):
    """A row of a table.

    Attributes:
        name: what stands before it.
        figures: the paper's, or None for a row of our own.
        settings: what it sets of a `RunConfig`, `"method"` among it.
    """

    name: str
    figures: Figures | None
    settings: dict


class Table(typing.NamedTuple):
    """A table.

    Attributes:
        title: what it is about, with the paper's number.
        data: what the paper's figures were taken on.
        datasets: data sets that the command takes, its default first.
        flag: the flag that chooses rows.
        rows: key of a row -> `Row`, in the paper's order.
    """

    title: str
    data: str
    datasets: tuple
    flag: str
    rows: dict
