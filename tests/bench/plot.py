# SPDX-License-Identifier: Apache-2.0
"""Three small plots beside each other, as SVG: a line for each number of accounts, over the entries (a power of ten a
step). Colours differ in lightness, too, and each line says itself what it is."""
import math
from xml.sax.saxutils import escape

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 320, 260, 58, 40, 24, 44
COLOURS = ("#1b4f72", "#b9770e", "#7d3c98", "#117a65")
PANELS = (("orders_per_s", "orders a second"), ("p99_ms", "99th of 100 batches, ms"), ("bytes_per_entry", "bytes of disk an entry"))


def ceiling_of(value):
    """The next of 1, 2, 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(power * step for step in (1, 2, 5, 10) if power * step >= value)


def short(value):
    for least, sign in ((1e6, "M"), (1e3, "k")):
        if value >= least:
            return f"{value / least:g}{sign}"
    return f"{value:g}"


def panel(points, key, title, at, out):
    series = {}
    for point in points:
        series.setdefault(point["accounts"], []).append((math.log10(point["entries"]), point[key]))
    least = math.floor(min(x for line in series.values() for x, _ in line))
    most = math.ceil(max(x for line in series.values() for x, _ in line))
    top = ceiling_of(max(y for line in series.values() for _, y in line))
    inner_width, inner_height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM

    def place(x, y):
        return (at + LEFT + (x - least) / max(1, most - least) * inner_width, TOP + inner_height * (1 - y / top))

    out.append(f'<text x="{at + LEFT}" y="20" font-weight="bold">{escape(title)}</text>')
    for i in range(5):
        x, y = place(least, top * i / 4)
        out.append(f'<line x1="{x:.1f}" x2="{x + inner_width:.1f}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
                   f'<text x="{x - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{short(top * i / 4)}</text>')
    for power in range(least, most + 1):
        x, y = place(power, 0)
        out.append(f'<text x="{x:.1f}" y="{y + 16:.1f}" text-anchor="middle">{short(10 ** power)}</text>')
    x, y = place((least + most) / 2, 0)
    out.append(f'<text x="{x:.1f}" y="{y + 34:.1f}" text-anchor="middle">entries in the ledger</text>')
    for colour, (accounts, line) in zip(COLOURS, sorted(series.items())):
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in (place(*dot) for dot in line))
        out.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        out.extend(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"><title>{accounts:,} accounts: {short(round(dot[1], 1))}'
                   f'</title></circle>' for dot in line for x, y in (place(*dot),))


def legend(points, out):
    for i, accounts in enumerate(sorted({point["accounts"] for point in points})):
        x = LEFT + 190 * i
        out.append(f'<line x1="{x}" x2="{x + 24}" y1="{HEIGHT + 8}" y2="{HEIGHT + 8}" stroke="{COLOURS[i]}" stroke-width="2"/>'
                   f'<text x="{x + 30}" y="{HEIGHT + 12}">{accounts:,} accounts</text>')


def svg_of(points, caption):
    width = WIDTH * len(PANELS)
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {HEIGHT + 46}" role="img" '
           f'font-family="sans-serif" font-size="11">',
           "<!-- SPDX-License-Identifier: Apache-2.0 -->",
           f"<title>How the ledger scales</title><desc>{escape(caption)}</desc>",
           f'<rect width="{width}" height="{HEIGHT + 46}" fill="#fff"/>']
    for i, (key, title) in enumerate(PANELS):
        panel(points, key, title, i * WIDTH, out)
    legend(points, out)
    out.append(f'<text x="{LEFT}" y="{HEIGHT + 34}" fill="#555">{escape(caption)}</text>')
    return "\n".join(out) + "\n</svg>\n"
