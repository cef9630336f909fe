"""Is everything in its place: on a projector and a wide screen, in a light and a dark theme?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Page

SIZES = ((900, 720), (1280, 720), (1920, 1080))
THEMES = ("JupyterLab Light", "JupyterLab Dark")
OPEN = {900, 1280}  # the widths at which the side bar is open
READABLE = 11.0  # pixels of the smallest text of a chart
SMALLEST = 0.6  # of a chart's own size
CONTRAST = 4.5  # WCAG AA for text

# The faults in the outputs of the notebook in front, in words.
FAULTS = """
([readable, contrast, smallest]) => {
    const faults = [], slack = 1.5;
    const name = element => (element.innerText || element.textContent || element.className
                             || element.tagName).toString().trim().slice(0, 40);
    const box = element => element.getBoundingClientRect();
    const inside = (inner, outer, what) => {
        const a = box(inner), b = box(outer);
        if (!a.width || !a.height) return;
        if (a.left < b.left - slack || a.right > b.right + slack
            || a.top < b.top - slack || a.bottom > b.bottom + slack)
            faults.push(`${what} "${name(inner)}" leaves its place`);
    };
    const apart = (elements, what) => {
        const boxes = elements.map(box);
        for (let i = 0; i < boxes.length; i++)
            for (let j = i + 1; j < boxes.length; j++) {
                const a = boxes[i], b = boxes[j];
                const wide = Math.min(a.right, b.right) - Math.max(a.left, b.left);
                const high = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
                if (wide > slack && high > slack)
                    faults.push(`${what} "${name(elements[i])}" lies on "${name(elements[j])}"`);
            }
    };
    const light = colour => {
        const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map(Number).map(v => v / 255)
            .map(v => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = element => {
        for (let at = element; at; at = at.parentElement) {
            const colour = getComputedStyle(at).backgroundColor;
            if (colour !== 'transparent' && !colour.endsWith(', 0)')) return colour;
        }
        return 'rgb(255, 255, 255)';
    };
    const page = document.scrollingElement;
    if (page.scrollWidth > innerWidth) faults.push('the page scrolls sideways');
    let looked = 0;
    for (const own of document.querySelectorAll(
            '.cnnmem-explorer, .cnnmem-question, .cnnmem-prediction')) {
        const area = own.closest('.jp-OutputArea-output') ?? own.parentElement;
        inside(own, area, 'a part');
        const controls = [...own.querySelectorAll(
            'select, input, textarea, button, .noUi-base, .widget-label')]
            .filter(one => box(one).width > 0 && one.checkVisibility());
        controls.forEach(one => inside(one, own, 'control'));
        apart(controls.filter(one => !one.querySelector('input')
            && !one.closest('.widget-checkbox, .widget-radio')), 'control');
        for (const label of own.querySelectorAll('.widget-label')) {
            looked += 1;
            if (box(label).width > 0 && label.scrollWidth > label.clientWidth + 1)
                faults.push(`label "${name(label)}" is cut off`);
        }
        for (const part of [own, ...own.querySelectorAll('.widget-box')])
            if (getComputedStyle(part).overflowX !== 'visible'
                    && part.scrollWidth > part.clientWidth)
                faults.push(`"${name(part)}" scrolls sideways`);
        for (const html of own.querySelectorAll('.widget-html-content'))
            if (html.scrollWidth > html.clientWidth + 1 && !html.querySelector('pre'))
                faults.push(`"${name(html)}" is wider than its place`);
        for (const svg of own.querySelectorAll('svg[data-chart]')) {
            if (!svg.checkVisibility()) continue;  // the other one of wide and narrow is shown
            inside(svg, area, 'chart');
            const texts = [...svg.querySelectorAll('text')].filter(one => one.textContent.trim());
            texts.forEach(one => inside(one, svg, 'text'));
            apart(texts.filter(one => !one.hasAttribute('transform')), 'text');
            const scale = box(svg).width / svg.viewBox.baseVal.width;
            if (scale < smallest)
                faults.push(`a chart has ${(100 * scale).toFixed(0)} % of its size`);
            // the drawing must stay in view while a slider moves
            const room = document.querySelector('.jp-WindowedPanel-outer')?.clientHeight
                ?? innerHeight;
            for (const handle of own.querySelectorAll('.noUi-target')) {
                const far = box(svg).bottom - box(handle).top;
                const title = own.querySelector('[data-explorer]')?.dataset.explorer;
                if (far > room)
                    faults.push(`${title}: a slider and its drawing take ${far.toFixed(0)} `
                        + `pixels of ${room}`);
            }
            for (const text of texts) {
                looked += 1;
                const style = getComputedStyle(text), size = parseFloat(style.fontSize) * scale;
                if (size < readable)
                    faults.push(`text "${name(text)}" is ${size.toFixed(1)} pixels high`);
                const cell = text.matches('.on-cell')  // a number in a cell of a heat map
                    ? getComputedStyle(text.previousElementSibling).fill : 'none';
                const ground = cell === 'none' ? behind(svg) : cell;
                const [a, b] = [light(style.fill), light(ground)].sort((x, y) => y - x);
                if ((a + 0.05) / (b + 0.05) < contrast)
                    faults.push(`text "${name(text)}": ${style.fill} on ${ground}`);
            }
        }
    }
    if (!looked) faults.push('there was nothing to look at');
    return [...new Set(faults)];
}
"""


def faults(page: Page, folder: Path, name: str) -> Iterator[str]:
    """Yield what is clipped, overlaps or is hard to read, at each size and in each theme."""
    for theme in THEMES:
        page.evaluate(
            "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", theme
        )
        page.wait_for_function(
            "theme => document.body.dataset.jpThemeName === theme", arg=theme, timeout=20_000
        )
        for width, height in SIZES:
            page.set_viewport_size({"width": width, "height": height})
            _side_bar(page, width in OPEN)
            page.wait_for_timeout(300)
            readable = READABLE if width in OPEN else 13.0
            for fault in page.evaluate(FAULTS, [readable, CONTRAST, SMALLEST]):
                yield f"{width} px, {theme}: {fault}"
            seen = page.locator(".cnnmem-explorer").first
            if seen.count():
                kind = theme.split()[-1].lower()
                seen.scroll_into_view_if_needed()
                page.screenshot(path=str(folder / f"{name}-{width}-{kind}.png"))
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", THEMES[0]
    )
    page.set_viewport_size({"width": 1280, "height": 900})


def _side_bar(page: Page, open: bool) -> None:
    """Open or close the list of files at the left."""
    page.evaluate(
        """async open => {
            const {commands, shell} = window.jupyterapp;
            if (shell.leftCollapsed === open)
                await commands.execute('application:toggle-left-area');
        }""",
        open,
    )
