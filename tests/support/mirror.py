"""Whether a page turned to run from right to left is its own mirror image."""

from __future__ import annotations

from support.firefox import Firefox

_TURN = "document.documentElement.dir = arguments[0]"
# Of what stands in a line of text only the line is looked at, since letters keep their order, and so do those
# in an element with a direction of its own.
_BOXES = """
const { clientWidth, scrollWidth } = document.documentElement;
const boxes = [];
for (const one of document.body.querySelectorAll("*")) {
  const { display, textAlign: align } = getComputedStyle(one);
  if (!one.checkVisibility() || /^(inline|none|contents)/.test(display)) continue;
  if (one.parentElement.closest("[dir]:not(html)")) continue;
  const { left, right } = one.getBoundingClientRect();
  const name = one.cloneNode().outerHTML.slice(0, 90);
  boxes.push({ name, start: left, end: clientWidth - right, align });
}
return { boxes, wide: scrollWidth > clientWidth };
"""
_ROUNDED = 1.5  # pixels


def lopsided(firefox: Firefox) -> list[str]:
    """What is not where its mirror image would be, is aligned to one side, or makes the page too wide when it
    runs from right to left; the page is left as it was."""
    before = firefox.script("return document.documentElement.dir")
    firefox.script(_TURN, "ltr")
    plain = firefox.script(_BOXES)
    firefox.script(_TURN, "rtl")
    turned = firefox.script(_BOXES)
    firefox.script(_TURN, before)
    found = [f"from right to left it is wider than the screen: {turned['wide']}"] if turned["wide"] else []
    for one, other in zip(plain["boxes"], turned["boxes"], strict=True):
        off = max(abs(one["start"] - other["end"]), abs(one["end"] - other["start"]))
        if off > _ROUNDED:
            found.append(f"{one['name']} is {off:.0f} pixels off its mirror image")
        if one["align"] == other["align"] and one["align"] in ("left", "right"):
            found.append(f"{one['name']} is aligned to the {one['align']} both ways")
    return found
