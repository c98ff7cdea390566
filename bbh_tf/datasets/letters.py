"""Images of the letters A to J, as outliers for handwritten digits.

Made the way notMNIST was: one printed capital per image, white on black,
scaled to its frame; from the fonts that matplotlib ships instead of from
fonts found on the web, so nothing has to be downloaded.

References:
    Bulatov, "notMNIST dataset", 2011,
    yaroslavvb.blogspot.com/2011/09/notmnist-dataset.html.
"""

import numpy as np

from bbh_tf import checks
from bbh_tf.datasets.letter_fonts import find_letter_fonts

LETTERS = "ABCDEFGHIJ"

# Glyphs are drawn this many pixels high (roughly) before being scaled down.
_FONT_SIZE = 400
# Margin of the natural rendering, as a share of the frame on each side.
_MARGIN = 1 / 14
# Stretching without a limit would turn an "I" without serifs into a white
# square, which is no letter any more.
_MAX_STRETCH = 2.0
# scikit-learn's digits were binary 32x32 bitmaps of which every 4x4 block
# was counted: 8x8 pixels with 17 grey levels.
_BLOCK = 4
# Share of ink from which a pixel of the binary bitmap is on. Below a half,
# so that hairlines about one pixel wide do not break up.
_INK = 0.4


def render_letters(size):
    """Renders A to J from every font that matplotlib ships.

    Each font gives two images of a letter: at its natural proportions with
    a margin of one fourteenth of the frame on every side, and stretched to
    the full frame (by a factor of two at most, so a plain "I" stays a bar).
    Images that repeat an earlier one exactly are left out.

    `size=8` goes through the resolution of scikit-learn's digits: a binary
    32x32 bitmap, the on-pixels counted in blocks of 4x4, divided by 16. Any
    other size is anti-aliased; 28 suits MNIST.

    Args:
        size: int of at least 8, the height and width of the images.

    Returns:
        Pair of float32 images `(n, size, size, 1)` in `[0, 1]` and int32
        labels `(n,)`, 0 for A to 9 for J. The order is fixed: by font file
        name, then natural before stretched, then A to J.

    Raises:
        ValueError: if `size` is not an integer of at least 8.
        ImportError: if matplotlib or pillow is not installed.
    """
    if not checks.is_count(size, fewest=8):
        raise ValueError(f"size: expected an integer >= 8, got {size!r}.")
    images = []
    labels = []
    seen = set()
    for font_path in find_letter_fonts(LETTERS):
        glyphs = [_draw_glyph(font_path, letter) for letter in LETTERS]
        for stretch in (False, True):
            for label, glyph in enumerate(glyphs):
                image = _frame(glyph, size, stretch)
                key = image.tobytes()
                if key not in seen:
                    seen.add(key)
                    images.append(image)
                    labels.append(label)
    return np.stack(images)[..., np.newaxis], np.array(labels, np.int32)


def _pillow():
    try:
        from PIL import Image
        from PIL import ImageFont
    except ImportError as error:
        raise ImportError(
            f"Rendering letters needs pillow ({error}): "
            f"pip install bbh_tf[experiments]"
        ) from error
    return Image, ImageFont


def _draw_glyph(font_path, letter):
    """Draws one large glyph, cropped to its ink: a grey pillow image."""
    image_module, font_module = _pillow()
    # The basic layout engine is always there; the other one is optional
    # and could place glyphs differently.
    font = font_module.truetype(
        str(font_path),
        _FONT_SIZE,
        layout_engine=font_module.Layout.BASIC,
    )
    mask = font.getmask(letter, mode="L")
    pixels = np.asarray(mask, np.uint8).reshape(mask.size[::-1])
    ink = image_module.fromarray(pixels)
    return ink.crop(ink.getbbox())


def _frame(glyph, size, stretch):
    """Scales a glyph into a float32 frame `(size, size)` in [0, 1]."""
    if size != 8:
        return _paste(glyph, size, stretch)
    bitmap = _paste(glyph, size * _BLOCK, stretch) >= _INK
    blocks = bitmap.reshape(size, _BLOCK, size, _BLOCK)
    counts = blocks.sum(axis=(1, 3))
    return (counts / _BLOCK**2).astype(np.float32)


def _paste(glyph, size, stretch):
    image_module, _ = _pillow()
    room = size if stretch else size - 2 * round(size * _MARGIN)
    scale = room / max(glyph.size)
    factor = _MAX_STRETCH if stretch else 1.0
    width, height = (
        max(1, min(room, round(length * scale * factor)))
        for length in glyph.size
    )
    # The box filter averages exactly the area that a pixel covers.
    small = glyph.resize((width, height), image_module.Resampling.BOX)
    frame = np.zeros((size, size), np.float32)
    top, left = (size - height) // 2, (size - width) // 2
    frame[top : top + height, left : left + width] = np.asarray(small)
    return frame / np.float32(255)
