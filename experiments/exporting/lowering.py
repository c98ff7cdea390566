"""TensorFlow functions as programs that XLA runs without TensorFlow."""

import dataclasses
import inspect
import re

import numpy as np
import tensorflow as tf

_TYPES = {
    "float32": "f32",
    "float64": "f64",
    "bfloat16": "bf16",
    "float16": "f16",
    "int8": "i8",
    "int32": "i32",
    "int64": "i64",
    "uint8": "ui8",
    "uint32": "ui32",
    "uint64": "ui64",
    "bool": "i1",
}

# Where in the sources an operation comes from: names, in brackets within
# brackets.
_LOCATION = re.compile(
    r' loc\((?:[^()"]|"[^"]*"|\((?:[^()"]|"[^"]*"|\([^()]*\))*\))*\)'
)


@dataclasses.dataclass(frozen=True)
class LoweredProgram:
    """A program and what its parameters and results are.

    Attributes:
        text: the program, StableHLO.
        parameters: for each parameter, in order: the name of an argument, a
            `tf.Variable`, or an array, a constant.
        results: names of the results that are returned, in order.
        updates: list of pairs of a parameter, a variable's, and the number
            of the output that is its new value.
    """

    text: str
    parameters: list
    results: list
    updates: list


def lower(function, specs, variables):
    """Turns a function into a program.

    Args:
        function: a `tf.function` with `jit_compile=True` that returns a
            dictionary of tensors, and may change variables.
        specs: a `tf.TensorSpec` for each of its arguments, in order.
        variables: list of all `tf.Variable` that it may read or change.

    Returns:
        A `LoweredProgram`. Products are in full float32 on any device.

    Raises:
        ValueError: if the program's parameters and results are not those of
            the function, as another TensorFlow may have it.
    """
    concrete = function.get_concrete_function(*specs)
    text = function.experimental_get_compiler_ir(*specs)(stage="stablehlo")
    names = list(inspect.signature(function.python_function).parameters)
    by_handle = {id(variable.handle): variable for variable in variables}
    captured = [
        by_handle.get(id(capture), capture)
        for capture in concrete.captured_inputs
    ]
    for capture in captured:
        if capture.dtype == tf.resource:
            raise ValueError(
                f"Expected a function of {len(by_handle)} known variables; "
                "got one that reads another."
            )
    parameters = names + [
        x if isinstance(x, tf.Variable) else np.asarray(x) for x in captured
    ]
    results = sorted(concrete.structured_outputs)
    updates = _updates(text)
    _check(text, [*specs, *captured], len(results) + len(updates))
    return LoweredProgram(_portable(text), parameters, results, updates)


def _updates(text):
    """Returns (parameter, output) of the variables that are changed."""
    pattern = (
        r"parameter_number = (\d+) : i64\}, output_index = array<i64: (\d+)>"
    )
    return [(int(x), int(y)) for x, y in re.findall(pattern, text)]


def _check(text, parameters, num_outputs):
    signature = re.search(r"func\.func (?:public )?@main\((.*)\{$", text, re.M)
    given, _, returned = signature.group(1).partition(" -> ")
    found = re.findall(r"%arg\d+: (tensor<[^>]*>)", given)
    wanted = [_type_of(parameter) for parameter in parameters]
    if found != wanted:
        raise ValueError(
            f"Expected a program of parameters {', '.join(wanted)}; got "
            f"{', '.join(found)}."
        )
    found = len(re.findall(r"tensor<", returned))
    if found != num_outputs:
        raise ValueError(
            f"Expected a program of {num_outputs} results; got {found}."
        )


def _type_of(parameter):
    dtype = tf.as_dtype(parameter.dtype).name
    sizes = "".join(f"{size}x" for size in parameter.shape)
    return f"tensor<{sizes}{_TYPES[dtype]}>"


def _portable(text):
    # An accelerator is free to round the factors of a product to 10 bits.
    text = re.sub(r"\bprecision DEFAULT\b", "precision HIGHEST", text)
    text = text.replace(
        "precision = [DEFAULT, DEFAULT]", "precision = [HIGHEST, HIGHEST]"
    )
    # A copy says nothing: the compiler makes those that it needs. This is
    # StableHLO for the same.
    text = re.sub(
        r"mhlo\.copy (%[\w#]+) : (tensor<[^>]*>)",
        r"stablehlo.reshape \1 : (\2) -> \2",
        text,
    )
    return _LOCATION.sub("", re.sub(r"^#loc.*\n", "", text, flags=re.M))
