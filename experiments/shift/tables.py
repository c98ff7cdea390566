"""Numbers of turned images, mixed images and calibration, as text."""

_ANGLES = (0, 30, 60, 90)


def turned(results):
    """Sets out how runs do on turned test images, both ways averaged.

    Args:
        results: see `shift_panels.turned_digits`.

    Returns:
        List of lists of texts, the heading first.
    """
    lines = [["turned test images", *(f"{angle}°" for angle in _ANGLES)]]
    for key, label, scale, digits in (
        ("accuracy", "accuracy, %", 100, 1),
        ("nll", "NLL, nats", 1, 2),
        ("entropy", "entropy, nats", 1, 2),
        ("mutual_information", "mutual information, nats", 1, 2),
    ):
        for name, result in results.items():
            cells = []
            for angle in _ANGLES:
                both = [
                    point[key]
                    for point in result["found"]["turned"]
                    if abs(point["angle"]) == angle
                ]
                cells.append(f"{scale * sum(both) / len(both):.{digits}f}")
            lines.append([f"{name}: {label}", *cells])
    return lines


def digits(series, results):
    """Sets out what single digits are taken for where they are least sure.

    Args:
        series: list of `shift_images.Series`.
        results: see `shift_panels.turned_digits`.

    Returns:
        List of lists of texts, the heading first.
    """
    lines = [["least sure, nats (at)", *(one.name for one in series)]]
    for name, result in results.items():
        cells = []
        for one, part in zip(series, result["found"]["series"]):
            most = max(part["entropy"])
            step = one.steps[part["entropy"].index(most)]
            unit = "°" if "degrees" in one.axis else ""
            cells.append(f"{most:.2f} ({step:g}{unit})")
        lines.append([name, *cells])
    return lines


def calibration(results):
    """Sets out how confidence and accuracy of the test set agree.

    Args:
        results: see `shift_panels.turned_digits`.

    Returns:
        List of lists of texts, the heading first.
    """
    lines = [
        [
            "test set",
            "draws",
            "accuracy %",
            "confidence %",
            "ECE %",
            "by chance",
            "ECE % (mass)",
            "by chance",
            "NLL",
            "Brier",
        ]
    ]
    for name, result in results.items():
        found = result["found"]["calibration"]
        lines.append(
            [
                name,
                f"{result['found']['num_draws']}",
                *(
                    f"{100 * found[key]:.2f}"
                    for key in (
                        "accuracy",
                        "confidence",
                        "ece",
                        "ece_by_chance",
                        "ece_mass",
                        "ece_mass_by_chance",
                    )
                ),
                f"{found['nll']:.4f}",
                f"{found['brier']:.4f}",
            ]
        )
    return lines


def temperature(results):
    """Sets out what a temperature does that was fitted on other images.

    Args:
        results: see `shift_panels.turned_digits`.

    Returns:
        List of lists of texts, the heading first.
    """
    lines = [
        [
            "every other test image",
            "temperature",
            "NLL",
            "tempered",
            "ECE %",
            "tempered",
        ]
    ]
    for name, result in results.items():
        found = result["found"]["temperature"]
        lines.append(
            [
                name,
                f"{found['temperature']:.2f}",
                f"{found['nll']:.4f}",
                f"{found['nll_tempered']:.4f}",
                f"{100 * found['ece']:.2f}",
                f"{100 * found['ece_tempered']:.2f}",
            ]
        )
    return lines


def notes(dataset, num_turned, num_test, is_published):
    """Says what the numbers are and are not.

    Args:
        dataset: name of the data set.
        num_turned: how many test images were turned.
        num_test: how many the test set has.
        is_published: whether the single digits are the authors'.

    Returns:
        List of sentences.
    """
    whose = (
        "the authors': 270, 202, 217 and 391 of MNIST's test set as published"
        if is_published
        else f"test images of {dataset}, not the authors', of the same classes"
    )
    return [
        f"The digits are {whose}. Images are turned about their centre with "
        "linear interpolation, black outside.",
        f"Turned test images: the first {num_turned:,}, turned both ways, of "
        "which a table has the average. A label stays what it was, though a "
        "6 upside down is a 9: up to 90° that does not matter much.",
        f"Calibration: all {num_test:,} test images. ECE: mean gap of "
        "accuracy and confidence over 15 bins of equal width, or of equal "
        "mass. By chance: what a model has on average that is right exactly "
        "as often as it is confident, with as many images and the same "
        "confidences; a smaller ECE than that means nothing.",
        "Temperature: one divisor of the logits of all draws, fitted on every "
        "other test image and measured on the others. Nothing else here is "
        "under it.",
        "Entropy of the mean prediction and mutual information in nats; a "
        "point estimate has no mutual information.",
    ]
