"""The fonts that matplotlib ships and that hold the Latin capitals."""

import pathlib


def find_letter_fonts(letters):
    """Finds the shipped fonts that can draw every one of `letters`.

    What counts is the font's character map: it must lead from the code of
    each letter to the glyph of that name. Fonts of symbols and of brackets
    have no such entry, or hold another glyph in its place (the glyph at "A"
    in cmex10 is part of a parenthesis).

    Args:
        letters: str, such as `"ABC"`.

    Returns:
        List of `pathlib.Path`, sorted by file name.

    Raises:
        ImportError: if matplotlib is not installed.
        FileNotFoundError: if matplotlib ships no such font.
    """
    try:
        import matplotlib
        from matplotlib import ft2font
    except ImportError as error:
        raise ImportError(
            f"Rendering letters needs matplotlib ({error}): "
            f"pip install bbh_tf[experiments]"
        ) from error
    folder = pathlib.Path(matplotlib.get_data_path(), "fonts", "ttf")
    fonts = [
        path
        for path in sorted(folder.glob("*.ttf"))
        if _names(ft2font.FT2Font(str(path)), letters) == list(letters)
    ]
    if not fonts:
        raise FileNotFoundError(
            f"{folder}: expected fonts with the letters {letters}, found none."
        )
    return fonts


def _names(font, letters):
    character_map = font.get_charmap()
    codes = [ord(letter) for letter in letters]
    if not all(code in character_map for code in codes):
        return None
    return [font.get_glyph_name(character_map[code]) for code in codes]
