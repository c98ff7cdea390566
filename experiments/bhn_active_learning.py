"""Figure 4 of Bayesian hypernetworks: which images to label next.

python -m experiments.bhn_active_learning --output_dir=runs/active_learning

A convolutional network is trained on 20 labels, scores unlabelled images, is
given the labels of the best ten (digits: twenty), and so on: BALD or random,
training that goes on (warm start) or begins anew, with MC dropout, without, and
as a Bayesian hypernetwork. Beside them Gal's own settings for dropout, and
Bayes by Hypernet, unless --scores or --starts are given with BALD and warm
starts only, since its training takes the longest; for it alone there is
--starts=annealed, a warm start whose KL grows from 0 again. On the digits in
small; --dataset=mnist has the authors' network, 50 epochs, and 2,000 images
scored each time, to 300 labels. A command that is stopped goes on with the next
run; commands with other methods and the same settings may share a folder.
"""

import functools

from absl import flags

from experiments import command_line
from experiments import flag_checks
from experiments import flag_lists
from experiments import lazy
from experiments.bhn import methods
from experiments.bhn import scores
from experiments.bhn import starts
from experiments.bhn import task

active_learning = lazy.import_module("experiments.bhn.active_learning")
active_learning_figure = lazy.import_module(
    "experiments.bhn.active_learning_figure"
)
active_learning_table = lazy.import_module(
    "experiments.bhn.active_learning_table"
)
exhibit = lazy.import_module("experiments.reporting.exhibit")
image_sets = lazy.import_module("experiments.bhn.image_sets")
tables = lazy.import_module("experiments.reporting.tables")
trials = lazy.import_module("experiments.bhn.trials")
workers = lazy.import_module("bbh_tf.workers")

task.define_flags(["digits", "mnist"], ["dropout", "mle", "iaf_4", "bbh"])
_NUM_LABELS = flags.DEFINE_integer(
    "num_labels", None, "Labels at the end; none: the data set's."
)
_TEST_EVERY = flags.DEFINE_integer(
    "test_every", None, "Purchases between tests; none: the data set's."
)
_KL_SCALE = task.define_kl_scale("labels")
_SCORES = flags.DEFINE_list("scores", ["bald", "random"], "Which scores.")
_STARTS = flags.DEFINE_list(
    "starts",
    ["warm", "fresh", "gal"],
    "How training begins after new labels: warm, fresh, gal (dropout only), "
    "annealed (bbh only).",
)
_FLAGS = flags.FLAGS
_DATASETS = {
    "digits": {
        "filters": 16,
        "units": 64,
        "num_labels": 100,
        # Of 128 there would be one step an epoch: too few from new weights.
        "batch_size": 10,
        "epochs": 30,
        "num_scored": 500,
        "test_every": 2,
        "num_test": 360,
        "learning_rate": 3e-3,
        "coupling_units": 50,
        "num_acquired": 20,
    },
    "mnist": {
        "filters": 32,
        "units": 256,
        "num_labels": 300,
        "epochs": 50,
        "num_scored": 2000,
        "test_every": 10,
        "num_test": 2000,
    },
}
_NUM_TRIALS = {"digits": 1, "mnist": 3}
_NUM_INITIAL = 20


def run():
    """Does the runs that are not done, writes table and figure."""
    task.check_flags()
    num_trials = _FLAGS.num_trials or _NUM_TRIALS[_FLAGS.dataset]
    flag_checks.check_fewest([(_NUM_LABELS, _NUM_INITIAL), (_TEST_EVERY, 1)])
    flag_lists.names(_SCORES, [*scores.SCORES, "random"])
    flag_lists.names(_STARTS, starts.STARTS)
    combinations = starts.combinations(
        methods.check(_FLAGS.methods),
        _SCORES.value,
        _STARTS.value,
        is_default=not any(_FLAGS[x].present for x in ("scores", "starts")),
    )
    for start in _STARTS.value if _STARTS.present else ():
        own = starts.STARTS[start].method
        flag_checks.check(
            _STARTS,
            own is None or own in _FLAGS.methods,
            f"no {start}, which is for {own}, without it among --methods",
        )
    with task.job() as folder:
        settings = active_learning.Settings(
            dataset=_FLAGS.dataset,
            preset=_FLAGS.preset,
            kl_scale=_KL_SCALE.value,
            **{
                **_DATASETS[_FLAGS.dataset],
                **task.given(
                    "num_train",
                    "num_test",
                    "num_labels",
                    "epochs",
                    "test_every",
                ),
            },
        )
        kept = trials.Trials(folder, settings)
        data = image_sets.load(
            settings.dataset,
            _FLAGS.data_dir,
            settings.num_train,
            settings.num_test,
        )
        for method, start, chosen in combinations:
            made, recipe = active_learning.maker(method, start, settings, data)
            for score in chosen:
                for seed in range(num_trials):
                    kept.do(
                        {
                            "method": method.name,
                            "score": score,
                            "start": start,
                            "seed": seed,
                        },
                        functools.partial(
                            active_learning.run,
                            made,
                            recipe,
                            method,
                            score,
                            start,
                            settings,
                            data,
                            seed,
                        ),
                    )
        if not workers.is_chief():
            return
        found = kept.found()
        path = active_learning_figure.write(found, folder)
        heading, *rows = active_learning_table.table(found)
        notes = active_learning_table.notes(settings, found)
        exhibit.write(
            folder,
            "Active learning (Bayesian hypernetworks, Figure 4)",
            [exhibit.Figure(path.name, active_learning_figure.CAPTION)],
            [exhibit.Table(active_learning_table.CAPTION, heading, rows)],
            notes,
            command_line.command(),
        )
        print(tables.aligned([heading, *rows]))
        print("", active_learning_table.CAPTION, *notes, sep="\n")
    print(f"Figure: {path}")


if __name__ == "__main__":
    command_line.start(run, takes_strategy=True)
