"""Figure 5 of Bayesian hypernetworks: adversaries and what scores say of them.

python -m experiments.bhn_adversarial --output_dir=runs/adversarial

All test images are moved by the fast gradient sign method, by the authors' 20
steps: with the gradient of one draw, as in the paper, and with that of the
averaged prediction, which knows that the network is random. For each step,
accuracy, the mean of four scores, and how well these tell moved images from
clean ones and wrong answers from right ones. Pixels stay from 0 to 1;
--preset=released_code sets no limit, as in the authors' code. A command that is
stopped goes on with the next trial.
"""

from absl import flags

from experiments import command_line
from experiments import flag_lists
from experiments import lazy
from experiments.bhn import methods
from experiments.bhn import task

adversarial = lazy.import_module("experiments.bhn.adversarial")
adversarial_figure = lazy.import_module("experiments.bhn.adversarial_figure")
adversarial_table = lazy.import_module("experiments.bhn.adversarial_table")
exhibit = lazy.import_module("experiments.reporting.exhibit")
image_sets = lazy.import_module("experiments.bhn.image_sets")
tables = lazy.import_module("experiments.reporting.tables")
trials = lazy.import_module("experiments.bhn.trials")
workers = lazy.import_module("bbh_tf.workers")

_AUTHORS_STEPS = (
    "0.001,0.002,0.003,0.004,0.005,0.008,0.01,0.012,0.015,0.02,0.025,0.03,"
    "0.04,0.05,0.075,0.1,0.15,0.2,0.3,0.5"
)
task.define_flags(["digits", "mnist"], ["mle", "dropout", "real_nvp_4"])
_EPSILONS = flags.DEFINE_list(
    "epsilons", _AUTHORS_STEPS.split(","), "How far each pixel moves."
)
_FLAGS = flags.FLAGS
_DATASETS = {
    "digits": {
        "units": (64, 64, 64),
        "epochs": 40,
        "batch_size": 32,
        "num_draws": 20,
        "coupling_units": 64,
        "learning_rate": 3e-3,
    },
    "mnist": {"units": (256, 256, 256), "epochs": 100, "num_draws": 20},
}

_NUM_TRIALS = {"digits": 1, "mnist": 3}


def run():
    """Does the trials that are not done, writes tables and figure."""
    task.check_flags()
    num_trials = _FLAGS.num_trials or _NUM_TRIALS[_FLAGS.dataset]
    chosen = methods.check(_FLAGS.methods)
    epsilons = flag_lists.floats(
        _EPSILONS, lambda x: 0 < x < 10, "numbers above 0 and below 10"
    )
    with task.job() as folder:
        settings = adversarial.Settings(
            dataset=_FLAGS.dataset,
            preset=_FLAGS.preset,
            epsilons=epsilons,
            **{
                **_DATASETS[_FLAGS.dataset],
                **task.given("num_train", "num_test", "epochs"),
            },
        )
        kept = trials.Trials(folder, settings)
        data = image_sets.load(
            settings.dataset,
            _FLAGS.data_dir,
            settings.num_train,
            settings.num_test,
        )
        kept.do_all(
            chosen,
            num_trials,
            lambda method: adversarial.maker(method, settings, data),
            lambda made, method, seed: adversarial.trial(
                made, method, settings, data, seed
            ),
        )
        if not workers.is_chief():
            return
        found = kept.found()
        path = adversarial_figure.write(found, folder)
        written = []
        for attack, title in adversarial_table.TITLES.items():
            heading, *rows = adversarial_table.table(found, attack)
            caption = adversarial_table.CAPTION.format(title)
            written.append(exhibit.Table(caption, heading, rows))
            print(f"{caption}\n")
            print(f"{tables.aligned([heading, *rows])}\n")
        notes = [
            settings.described(),
            *trials.own_settings(found),
            *adversarial_table.rises(found, "one_draw"),
            *trials.origins(found),
        ]
        exhibit.write(
            folder,
            "Adversaries (Bayesian hypernetworks, Figure 5)",
            [exhibit.Figure(path.name, adversarial_figure.CAPTION)],
            written,
            notes,
            command_line.command(),
        )
        print(*notes, sep="\n")
    print(f"Figure: {path}")


if __name__ == "__main__":
    command_line.start(run, takes_strategy=True)
