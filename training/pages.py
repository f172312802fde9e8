"""Writes pages of text, as photographs to train on beside others: `python training/pages.py --out FOLDER --count 7`.

The text is that of this repository's documentation, in the free fonts that matplotlib brings along, in several sizes
and colours, on light and dark ground.
"""

import argparse
import pathlib
import random

import matplotlib
from PIL import Image, ImageDraw, ImageFont

ROOT = pathlib.Path(__file__).parents[1]
FONTS = pathlib.Path(matplotlib.get_data_path()) / "fonts" / "ttf"
FACES = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic", "STIXGeneral", "cmr10")
HEIGHT, WIDTH, MARGIN = 512, 768, 12


def page(number: int, words: list[str]) -> Image.Image:
    """Returns a page of text, of paragraphs that each have a font, a size and a colour of their own."""
    draw = random.Random(number)
    dark = draw.random() < 0.25
    low, high = ((0, 60), (190, 255)) if dark else ((235, 255), (0, 110))
    image = Image.new("RGB", (WIDTH, HEIGHT), tuple(draw.randint(*low) for _ in range(3)))
    canvas, top = ImageDraw.Draw(image), MARGIN
    while top < HEIGHT:
        font = ImageFont.truetype(
            str(FONTS / f"{draw.choice(FACES)}.ttf"), draw.choice((10, 11, 12, 13, 14, 16, 20, 28))
        )
        grey = draw.randint(*high)
        colour = (grey,) * 3 if draw.random() < 0.8 else tuple(draw.randint(*high) for _ in range(3))
        place = draw.randrange(len(words))
        for _ in range(draw.randint(1, 6)):
            line = ""
            while canvas.textlength(line, font) < WIDTH - 2 * MARGIN:
                line, place = f"{line} {words[place % len(words)]}", place + 1
            canvas.text((MARGIN, top), line.strip(), colour, font)
            top += round(1.25 * font.size)
        top += font.size // 2
    return image


def main() -> None:
    """Writes the pages that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=7, help="one for each twenty photographs")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    words = " ".join(path.read_text() for path in sorted((ROOT / "docs").glob("*.md"))).split()
    for number in range(options.count):
        page(number, words).save(options.out / f"page-{number}.png")


if __name__ == "__main__":
    main()
