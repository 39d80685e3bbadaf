// Drives Chromium over the DevTools protocol: `node page_driver.mjs CHROMIUM JOBS`, where JOBS is JSON: [[page, scenario], ...].
// A scenario is "name[:screen[:colours]]". The answer is JSON, one object a job, which test_page.py judges.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const web = join(dirname(fileURLToPath(import.meta.url)), "..", "..", "web", "package.json");
const { chromium } = createRequire(web)("playwright-core");
const [executablePath, jobs] = process.argv.slice(2);

/** Wait until the browser has painted what the last action changed. */
const settled = (tab) =>
  tab.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done)))));

async function seconds(tab, act) {
  const start = performance.now();
  await act();
  await settled(tab);
  return (performance.now() - start) / 1000;
}

const text = (tab, selector) => tab.locator(selector).first().innerText();
const texts = (tab, selector) => tab.locator(selector).allInnerTexts();
const overflow = (tab) => tab.evaluate(() => document.documentElement.scrollWidth - innerWidth);
const hash = (tab) => tab.evaluate(() => location.hash);
/** A text that changes when the drawing does. */
const drawing = (tab) => tab.evaluate(() => document.querySelector("canvas").toDataURL());

const scenarios = {
  async lines(tab) {
    const rows = () => texts(tab, ".lines tbody tr:visible");
    const all = await rows();
    await tab.keyboard.press("/");
    await tab.keyboard.type("render sprintf");
    await settled(tab);
    const searched = await rows();
    const searchHash = await hash(tab);
    await tab.fill("#search", "");
    await tab.click('.chip[data-pattern="global-store"]');
    await settled(tab);
    const filtered = await rows();
    await tab.click('.chip[data-pattern="global-store"]');
    await tab.click('th button[data-sort="alloc"]');
    await settled(tab);
    const byAlloc = await rows();
    await tab.click("[data-metric=inuse]");
    await tab.click(".copy");
    await settled(tab);
    return {
      all,
      searched,
      searchHash,
      filtered,
      byAlloc,
      verdict: await text(tab, ".verdict"),
      unexplained: await tab.locator(".unexplained").first().boundingBox(),
      gaps: await tab.locator(".gaps").first().boundingBox(),
      unexplainedRow: await text(tab, ".lines tfoot"),
      toast: await text(tab, ".toast"),
      clipboard: await tab.evaluate(() => navigator.clipboard.readText()),
    };
  },

  async memory(tab) {
    await tab.keyboard.press("m");
    await settled(tab);
    await tab.locator(".memory-chart .u-over").first().hover({ position: { x: 150, y: 80 } });
    await settled(tab);
    return {
      hash: await hash(tab),
      account: await texts(tab, ".account tbody tr"),
      captions: await texts(tab, ".memory-chart figcaption"),
      legend: await texts(tab, ".memory-chart .u-legend"),
      events: await texts(tab, ".events li"),
      painted: await tab.evaluate(() => {
        const canvas = document.querySelector(".memory-chart canvas");
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return new Set(new Uint32Array(data.buffer)).size;
      }),
      overflow: await overflow(tab),
    };
  },

  async keys(tab) {
    await tab.keyboard.press("ArrowDown");
    await tab.keyboard.press("ArrowDown");
    await tab.keyboard.press("Enter");
    await settled(tab);
    const opened = { hash: await hash(tab), title: await text(tab, ".panel h2") };
    await tab.keyboard.press("Escape");
    await settled(tab);
    const closed = { hash: await hash(tab), panels: await tab.locator(".panel:visible").count() };
    const focus = await tab.evaluate(() => document.activeElement?.textContent);
    await tab.keyboard.press("?");
    const help = await text(tab, ".help");
    await tab.keyboard.press("Escape");
    await tab.keyboard.press("2");
    await settled(tab);
    const view = await hash(tab);
    await tab.goBack();
    await settled(tab);
    return { opened, closed, focus, help, view, back: await hash(tab) };
  },

  async finding(tab) {
    await tab.evaluate(() => {
      location.hash = "#finding=3f9a01c2";
    });
    await settled(tab);
    const marks = await texts(tab, ".panel .code-line mark.subject");
    return {
      title: await text(tab, ".panel h2"),
      code: await texts(tab, ".panel .code-line"),
      marks,
      arrows: await tab.locator(".panel .arrow-line").count(),
      chain: await texts(tab, ".panel .chain li"),
      stages: await texts(tab, ".panel .path-label"),
      reached: await (async () => {
        await tab.locator(".panel .path-node").first().focus();
        const seen = [await tab.locator(".code-line.pointed").count()];
        for (let step = 0; step < 2; step++) {
          await tab.keyboard.press("Tab");
          seen.push(await tab.evaluate(() => document.activeElement?.className ?? ""));
        }
        return seen;
      })(),
      so: await text(tab, ".panel .so"),
      fixes: await texts(tab, ".panel .fixes li"),
      unknown: await (async () => {
        await tab.evaluate(() => {
          location.hash = "#finding=nowhere";
        });
        await settled(tab);
        return text(tab, ".panel");
      })(),
    };
  },

  /** Long lines of source: where their costs stand when the text is scrolled to its end, and what is marked. */
  async source(tab) {
    const overflows = [await overflow(tab)];
    await tab.evaluate(() => {
      location.hash = "#finding=3f9a01c3";
    });
    await settled(tab);
    overflows.push(await overflow(tab));
    return {
      overflows,
      marks: await texts(tab, ".panel .code-line mark.subject"),
      costs: await texts(tab, ".panel .code-line .cost:visible:not(:empty)"),
      chosen: await text(tab, ".panel .code-line.chosen .cost:visible"),
      scrolled: await tab.evaluate(() => {
        const scroller = document.querySelector(".panel .code-scroller");
        scroller.scrollLeft = scroller.scrollWidth;
        return scroller.scrollLeft;
      }),
      covered: await tab.evaluate(() =>
        [...document.querySelectorAll(".panel .code-line")]
          .filter((row) => {
            const shown = [...row.querySelectorAll(".text > *, .to-heap")];
            const end = Math.max(...shown.map((part) => part.getBoundingClientRect().right));
            return end > row.querySelector(".cost").getBoundingClientRect().left;
          })
          .map((row) => row.dataset.line),
      ),
    };
  },

  async flame(tab) {
    await tab.click("#tab-flame");
    await settled(tab);
    const box = await tab.locator("canvas").boundingBox();
    const before = await drawing(tab);
    await tab.click("[data-metric=alloc]");
    await settled(tab);
    const alloc = await drawing(tab);
    await tab.mouse.move(box.x + 60, box.y + 20 * 7 + 10);
    await settled(tab);
    const tip = await text(tab, ".tip");
    await tab.fill("#search", "renderRow");
    await settled(tab);
    const searched = { result: await text(tab, ".results"), drawing: await drawing(tab) };
    await tab.fill("#search", "");
    await tab.click('.chip[data-pattern="variadic-any"]');
    await settled(tab);
    const filtered = await drawing(tab);
    await tab.click('.chip[data-pattern="variadic-any"]');
    await tab.mouse.click(box.x + 60, box.y + 20 * 7 + 10);
    await settled(tab);
    const zoomed = { hash: await hash(tab), drawing: await drawing(tab), panel: await text(tab, ".panel h2") };
    await tab.locator("canvas").focus();
    await tab.keyboard.press("ArrowDown");
    await settled(tab);
    const moved = await text(tab, ".flame-detail strong");
    await tab.keyboard.press("Escape");
    await settled(tab);
    return { before, alloc, tip, searched, filtered, zoomed, moved, after: await hash(tab) };
  },

  async speed(tab) {
    const show = await seconds(tab, () => tab.click("#tab-flame"));
    const search = await seconds(tab, () => tab.fill("#search", "type77"));
    const found = await text(tab, ".results");
    const clear = await seconds(tab, () => tab.fill("#search", ""));
    const box = await tab.locator("canvas").boundingBox();
    const zoom = await seconds(tab, () => tab.mouse.click(box.x + 60, box.y + 50));
    const zoomed = await hash(tab);
    const out = await seconds(tab, () => tab.keyboard.press("Escape"));
    const metric = await seconds(tab, () => tab.click("[data-metric=alloc]"));
    const load = await tab.evaluate(() => {
      const [entry] = performance.getEntriesByType("navigation");
      return entry.domContentLoadedEventEnd / 1000;
    });
    return { load, show, search, clear, zoom, out, metric, found, zoomed };
  },

  async many(tab) {
    const search = await seconds(tab, () => tab.fill("#search", "fn77"));
    const result = await text(tab, ".results");
    await tab.fill("#search", "");
    const sort = await seconds(tab, () => tab.click('th button[data-sort="line"]'));
    const rows = await tab.locator(".lines tbody tr").count();
    await tab.click(".show-more");
    const more = await tab.locator(".lines tbody tr").count();
    return { search, sort, result, rows, more };
  },

  async hostile(tab) {
    const views = [];
    for (const view of ["flame", "entries", "lines"]) {
      await tab.click(`#tab-${view}`);
      await settled(tab);
      views.push(await tab.evaluate(() => document.body.innerText));
    }
    const box = await tab.locator(".lines tbody tr").count();
    const panels = [];
    for (let row = 0; row < box; row++) {
      await tab.locator(".lines tbody tr a.place").nth(row).evaluate((link) => link.click());
      await settled(tab);
      await tab.evaluate(() => document.querySelector(".panel details").setAttribute("open", ""));
      panels.push(await tab.evaluate(() => document.querySelector(".panel").textContent));
    }
    return {
      views,
      panels,
      title: await tab.title(),
      hacked: await tab.evaluate(() => globalThis.hacked ?? null),
      elements: await tab.evaluate(() => document.querySelectorAll("#app :is(script, img, iframe, link, style, object)").length),
      overflow: await overflow(tab),
    };
  },

  async look(tab) {
    const colours = () =>
      tab.evaluate(() => {
        const style = getComputedStyle(document.body);
        return { ground: style.backgroundColor, ink: style.color, weight: style.fontFamily };
      });
    const system = await colours();
    await tab.keyboard.press("t");
    const toggled = await colours();
    const overflows = {};
    for (const view of ["lines", "flame", "entries"]) {
      await tab.evaluate((name) => {
        location.hash = `#view=${name}`;
      }, view);
      await settled(tab);
      overflows[view] = await overflow(tab);
    }
    const first = await tab.evaluate(() => document.querySelector(".lines tbody tr")?.dataset.finding ?? "");
    await tab.evaluate((id) => {
      location.hash = `#finding=${encodeURIComponent(id)}`;
    }, first);
    await settled(tab);
    overflows.panel = await overflow(tab);
    return { system, toggled, overflows };
  },
};

const settings = {
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
  narrow: { viewport: { width: 375, height: 800 } },
  desk: { viewport: { width: 1280, height: 800 } },
};
/** Play one scenario in a fresh context, and note every request and every message on the console. */
async function play(browser, page, scenario) {
  const [name, screen = "desk", colorScheme = "light"] = scenario.split(":");
  const permissions = ["clipboard-read", "clipboard-write"];
  const context = await browser.newContext({ ...settings[screen], colorScheme, permissions });
  const requests = [];
  const messages = [];
  try {
    const tab = await context.newPage();
    tab.setDefaultTimeout(15_000);
    tab.on("request", (request) => requests.push(request.url()));
    tab.on("console", (message) => messages.push(`${message.type()}: ${message.text()}`));
    tab.on("pageerror", (error) => messages.push(`error: ${error.message}`));
    await tab.goto(pathToFileURL(page).href);
    await tab.waitForSelector("body[data-ready]");
    await settled(tab);
    return { result: await scenarios[name](tab), requests, messages };
  } catch (error) {
    return { failure: String(error.stack ?? error), requests, messages };
  } finally {
    await context.close();
  }
}

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
try {
  const answers = [];
  for (const [page, scenario] of JSON.parse(jobs)) answers.push(await play(browser, page, scenario));
  process.stdout.write(JSON.stringify(answers));
} finally {
  await browser.close();
}
