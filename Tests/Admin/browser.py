#!/usr/bin/env python3
"""Looks at the admin pages with a real browser: browser.py ADDRESS TOKEN DIRECTORY [AXE]; TOKEN may be empty

Drives Debian's Chromium through its debugging pipe, with nothing but Python's own library. Walks through every page at
three widths, in light and dark, does what an operator does, leaves pictures in DIRECTORY, and says what is wrong: errors in
the console, anything the content security policy had to stop, something wider than the window, fields without a label,
headings out of order, text with too little contrast, a control that the Tab key does not reach or whose focus is not seen.
AXE is a copy of axe.min.js, whose rules are checked as well.
"""
import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time

PAGES = ["/", "/deliveries", "/dead-letters", "/dead-letters/act?action=discard", "/destinations/pause?name=capi", "/rejects",
         "/debugger", "/send-test"]
SIZES = {"desktop": (1280, 900), "phone": (375, 800), "narrow": (320, 640)}

LOOK = r"""
(() => {
  const problems = [];
  const shown = e => e.getClientRects().length > 0 && getComputedStyle(e).visibility !== "hidden";
  const width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) {
    const wide = [...document.querySelectorAll("body *")].filter(e =>
      e.getBoundingClientRect().right > width + 1 && !e.closest(".scroll, pre"));
    problems.push(`wider than the window: ${wide.slice(0, 3).map(e => e.outerHTML.slice(0, 80)).join(" | ")}`);
  }
  for (const e of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
    if (!(e.labels && e.labels.length)) problems.push(`no label: ${e.outerHTML.slice(0, 80)}`);
  let level = 0;
  const headings = [...document.querySelectorAll("h1, h2, h3, h4, h5, h6")].filter(shown);
  for (const e of headings) {
    const own = Number(e.tagName[1]);
    if (own > level + 1) problems.push(`${e.tagName} behind h${level}: ${e.textContent}`);
    level = own;
  }
  if (headings.filter(e => e.tagName === "H1").length !== 1) problems.push("not one h1");
  for (const e of document.querySelectorAll("th")) if (!e.scope) problems.push(`no scope: ${e.textContent}`);
  for (const name of ["main", "header", "footer"]) if (!document.querySelector(name)) problems.push(`no ${name}`);
  const ids = [...document.querySelectorAll("[id]")].map(e => e.id);
  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) problems.push(`id twice: ${id}`);

  const rgba = text => {
    const parts = text.match(/[\d.]+/g).map(Number);
    return { r: parts[0], g: parts[1], b: parts[2], a: parts.length > 3 ? parts[3] : 1 };
  };
  const behind = e => {
    for (; e; e = e.parentElement) {
      const colour = rgba(getComputedStyle(e).backgroundColor);
      if (colour.a === 1) return colour;
      if (colour.a > 0) return null;
    }
    return rgba("rgb(255, 255, 255)");
  };
  const light = c => {
    const part = v => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4;
    return 0.2126 * part(c.r) + 0.7152 * part(c.g) + 0.0722 * part(c.b);
  };
  let measured = 0;
  for (const e of document.querySelectorAll("body *")) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim());
    if (!own || !shown(e) || e.closest("svg, .skip, .hidden")) continue;
    const style = getComputedStyle(e), back = behind(e);
    if (!back) { problems.push(`see-through background: ${e.outerHTML.slice(0, 80)}`); continue; }
    const [a, b] = [light(rgba(style.color)), light(back)].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    measured += 1;
    if (ratio < 4.5) problems.push(`contrast ${ratio.toFixed(2)}: ${e.outerHTML.slice(0, 80)}`);
    if (parseFloat(style.fontSize) < 12) problems.push(`small: ${e.outerHTML.slice(0, 80)}`);
  }
  if (measured < 5) problems.push(`only ${measured} texts were measured`);
  return problems;
})()
"""

CONTROLS = r"""
[...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, [tabindex='0']")]
  .filter(e => e.getClientRects().length > 0).map((e, i) => { e.dataset.control = i; return e.outerHTML.slice(0, 90); })
"""

FOCUS = r"""
(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const style = getComputedStyle(e);
  return { control: e.dataset.control ?? "", seen: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 };
})()
"""


class Browser:
    def __init__(self, profile):
        program = shutil.which("chromium") or shutil.which("chromium-browser")
        if not program:
            sys.exit("no chromium: apt-get install --no-install-recommends chromium")
        to_browser, self.into = os.pipe()
        self.out, from_browser = os.pipe()

        def number_pipes():
            # 3 and 4 are what --remote-debugging-pipe reads and writes.
            a, b = os.dup(to_browser), os.dup(from_browser)
            a, b = os.dup2(a, 20), os.dup2(b, 21)
            os.dup2(a, 3)
            os.dup2(b, 4)

        self.process = subprocess.Popen(
            [program, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            close_fds=False, preexec_fn=number_pipes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser)
        os.close(from_browser)
        self.rest = b""
        self.last = 0
        self.events = []
        target = [t for t in self.ask("Target.getTargets")["targetInfos"] if t["type"] == "page"][0]
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        for domain in ["Page", "Runtime", "Log", "Network"]:
            self.ask(f"{domain}.enable")

    session = None

    def ask(self, method, **parameters):
        self.last += 1
        order = {"id": self.last, "method": method, "params": parameters}
        if self.session and not method.startswith("Target."):
            order["sessionId"] = self.session
        os.write(self.into, json.dumps(order).encode() + b"\0")
        while True:
            answer = self.read(30)
            if answer is None:
                sys.exit(f"no answer to {method}")
            if answer.get("id") == self.last:
                if "error" in answer:
                    sys.exit(f"{method}: {answer['error']}")
                return answer["result"]

    def read(self, timeout):
        end = time.monotonic() + timeout
        while b"\0" not in self.rest:
            if not select.select([self.out], [], [], max(0, end - time.monotonic()))[0]:
                return None
            chunk = os.read(self.out, 1 << 16)
            if not chunk:
                sys.exit("the browser ended")
            self.rest += chunk
        line, self.rest = self.rest.split(b"\0", 1)
        answer = json.loads(line)
        if "method" in answer:
            self.events.append(answer)
        return answer

    def wait(self, event, timeout=20):
        """Until an event of that name comes that has not been waited for."""
        end = time.monotonic() + timeout
        while True:
            for one in self.events:
                if one["method"] == event and not one.get("seen"):
                    one["seen"] = True
                    return one
            if time.monotonic() > end or self.read(end - time.monotonic()) is None:
                sys.exit(f"{event} did not come within {timeout} s")

    def do(self, script):
        """Starts what leads to another page, and waits for that."""
        for one in self.events:
            one["seen"] = True
        self.evaluate(script)
        self.wait("Page.loadEventFired")

    def open(self, url):
        for one in self.events:
            one["seen"] = True
        self.ask("Page.navigate", url=url)
        self.wait("Page.loadEventFired")

    def evaluate(self, script):
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            sys.exit(f"{script[:200]}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def size(self, width, height, is_dark):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 500)
        self.ask("Emulation.setEmulatedMedia",
                 features=[{"name": "prefers-color-scheme", "value": "dark" if is_dark else "light"}])

    def picture(self, path):
        size = self.ask("Page.getLayoutMetrics")["cssContentSize"]
        data = self.ask("Page.captureScreenshot", captureBeyondViewport=True,
                        clip={"x": 0, "y": 0, "width": size["width"], "height": min(size["height"], 3000), "scale": 1})
        with open(path, "wb") as file:
            file.write(base64.b64decode(data["data"]))

    def press_tab(self):
        key = {"key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **key)
        self.ask("Input.dispatchKeyEvent", type="keyUp", **key)

    def complaints(self):
        """What the console has to say that it should not."""
        found = []
        for event in self.events:
            method, details = event["method"], event.get("params", {})
            if method == "Runtime.exceptionThrown":
                found.append(f"exception: {details['exceptionDetails']['text']}")
            if method == "Log.entryAdded" and details["entry"]["level"] in ("error", "warning"):
                found.append(f"{details['entry']['source']}: {details['entry']['text']} {details['entry'].get('url', '')}")
            if method == "Runtime.consoleAPICalled" and details["type"] in ("error", "warning", "assert"):
                found.append(f"console: {details['args']}")
            if method == "Network.requestWillBeSent":
                url = details["request"]["url"]
                if not url.startswith((self.site, "about:", "data:")):
                    found.append(f"asks for {url}")
        return found


def check_keyboard(browser):
    controls = browser.evaluate(CONTROLS)
    reached, problems, last = set(), [], None
    # A field for a time has several stops.
    for _ in range(2 * len(controls) + 20):
        browser.press_tab()
        focus = browser.evaluate(FOCUS)
        if not focus:
            break
        if not focus["seen"]:
            problems.append(f"focus is not seen: {controls[int(focus['control'] or 0)]}")
        if focus["control"] in reached and focus["control"] != last:
            break
        last = focus["control"]
        reached.add(last)
    return problems + [f"Tab does not reach: {c}" for i, c in enumerate(controls) if str(i) not in reached]


def main():
    address, token, directory = sys.argv[1:4]
    axe = open(sys.argv[4], encoding="utf-8").read() if len(sys.argv) > 4 else None
    os.makedirs(directory, exist_ok=True)
    profile = tempfile.mkdtemp(prefix="browser-")
    browser = Browser(profile)
    browser.site = site = f"http://{address}"
    problems, looks = [], 0

    def look(name, is_dark=False, width="desktop"):
        nonlocal looks
        looks += 1
        here = f"{name} {width}{' dark' if is_dark else ''}"
        problems.extend(f"{here}: {p}" for p in browser.evaluate(LOOK))
        if axe:
            browser.evaluate(axe + ";0")
            found = browser.evaluate("axe.run(document, {resultTypes: ['violations']}).then(r => r.violations.map("
                                     "v => v.id + ': ' + v.nodes.map(n => n.html.slice(0, 90)).slice(0, 3).join(' | ')))")
            problems.extend(f"{here}: axe: {p}" for p in found)
        browser.picture(f"{directory}/{name}-{width}{'-dark' if is_dark else ''}.png")

    def expect(text, what):
        if text not in browser.evaluate("document.body.innerText"):
            problems.append(f"{what}: there is no “{text}”: {browser.evaluate('document.body.innerText')[:300]}")

    def submit(path, button="main form button"):
        if path:
            browser.open(site + path)
        browser.do(f"document.querySelector({json.dumps(button)}).click()")

    def walk():
        browser.size(*SIZES["desktop"], False)
        if not token:
            for path in ["/", "/dead-letters", "/rejects", "/debugger", "/send-test"]:
                name = "open-" + (path.strip("/") or "overview")
                browser.open(site + path)
                look(name)
                problems.extend(f"{name}: {p}" for p in check_keyboard(browser))
            problems.extend(browser.complaints())
            return
        browser.open(site + "/login")
        look("login")
        browser.evaluate(f"document.getElementById('token').value = {json.dumps(token)}")
        submit(None)
        expect("Overview", "login")
        if browser.evaluate("document.cookie") != "":
            problems.append("a script can read the session")

        for path in PAGES:
            name = path.split("?")[0].strip("/").replace("/", "-") or "overview"
            for width, size in SIZES.items():
                for is_dark in [False, True]:
                    browser.size(*size, is_dark)
                    browser.open(site + path)
                    look(name, is_dark, width)
            browser.size(*SIZES["desktop"], False)
            browser.open(site + path)
            problems.extend(f"{name}: {p}" for p in check_keyboard(browser))

        event = {"event": "Purchase", "event_id": "browser-1", "event_time": int(time.time()),
                 "url": "https://shop.example/</textarea><script>alert(1)</script>",
                 "user": {"email": "someone@example.com", "phone": "12"}, "properties": {"value": 1.5, "currency": "EUR"}}
        browser.open(site + "/debugger")
        browser.evaluate(f"document.getElementById('event').value = {json.dumps(json.dumps(event, indent=1))}")
        submit(None)
        expect("would be sent", "debugger")
        for width, size in SIZES.items():
            for is_dark in [False, True]:
                browser.size(*size, is_dark)
                look("debugger-answer", is_dark, width)
        browser.size(*SIZES["desktop"], False)
        problems.extend(f"debugger-answer: {p}" for p in check_keyboard(browser))

        submit("/destinations/pause?name=capi")
        expect("capi is paused now", "pause")
        look("paused")
        submit("/destinations/resume?name=capi")
        expect("capi is running now", "resume")
        browser.open(site + "/send-test")
        browser.evaluate("document.getElementById('sure').checked = true")
        submit(None)
        look("sent")
        browser.open(site + "/dead-letters")
        browser.do("document.querySelector('td a.button').click()")
        submit(None)
        expect("put back into the queue", "replay")

        # The page follows by itself, and says so only when there is something to say.
        browser.open(site + "/")
        before = browser.evaluate("document.querySelector('#live time').dateTime")
        end = time.monotonic() + 20
        while browser.evaluate("document.querySelector('#live time').dateTime") == before:
            if time.monotonic() > end:
                problems.append("the overview does not refresh")
                break
            time.sleep(0.5)
        browser.do("document.querySelector('header form button').click()")
        expect("Log in", "logout")
        problems.extend(browser.complaints())
        # What comes now is refused, and the console says so: after everything else.
        browser.evaluate("document.getElementById('token').value = 'not the token at all'")
        submit(None)
        expect("That is not the token.", "a wrong token")
        look("refused")

    try:
        walk()
    finally:
        browser.process.terminate()
        browser.process.wait(10)
        shutil.rmtree(profile, ignore_errors=True)
    for problem in problems:
        print(problem)
    print(f"{looks} looks{'' if axe else ' without axe'}, {len(problems)} problems; pictures in {directory}")
    sys.exit(1 if problems else 0)


main()
