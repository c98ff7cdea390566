"""How every experiment starts and ends on the command line."""

import logging
import shlex
import sys

from absl import app
from absl import flags
from absl import logging as absl_logging

from experiments import strategies
from experiments.errors import ExperimentError


def start(run, takes_strategy=False):
    """Parses the flags and runs; a mistake is told in one line.

    The exit status is 0 when all is done, 1 after a mistake and 130 after
    Ctrl-C.

    Args:
        run: callable without arguments, called when the flags are parsed.
        takes_strategy: whether the command has the flag `--strategy`, and
            follows it. Others refuse to be one of several workers, which would
            all write the same files.
    """

    def main(argv):
        try:
            if len(argv) > 1:
                raise ExperimentError(f"expected flags only; got {argv[1]!r}.")
            if not takes_strategy:
                strategies.check_one_process()
            run()
        except (ExperimentError, MemoryError) as error:
            return _fail(error)
        except OSError as error:
            return _fail(
                f"expected files that can be read and written; {error}."
            )
        except KeyboardInterrupt:
            print(
                "\nstopped; the same command goes on from here.",
                file=sys.stderr,
            )
            return 130
        return 0

    def parse(argv):
        try:
            return flags.FLAGS(argv)
        except flags.Error as error:
            sys.exit(_fail(" ".join(str(error).split())))

    # TFDS tells at length what it reads.
    absl_logging.set_verbosity(absl_logging.WARNING)
    # Each model is traced anew, and TensorFlow would warn of it. This logger
    # is TensorFlow's, which is not imported before flags are checked.
    logging.getLogger("tensorflow").setLevel("ERROR")
    app.run(main, flags_parser=parse)


def command():
    """Returns the command that runs now, as it was typed."""
    module = sys.modules["__main__"].__spec__
    name = sys.argv[0] if module is None else f"-m {module.name}"
    return f"python {name} {shlex.join(sys.argv[1:])}"


def _fail(error):
    print(f"error: {error}", file=sys.stderr)
    return 1
