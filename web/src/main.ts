// The page: head with verdict and witnesses, three views of the same findings, and a panel for the chosen one.
import { readReport } from "./data";
import { h, replace } from "./dom";
import { EntryPoints } from "./entries";
import { FlameTab } from "./flame_tab";
import { headline, verdict, witnessLink, witnessPanel } from "./head";
import { Keyboard } from "./keyboard";
import { MemoryTab } from "./memory_tab";
import { Panel } from "./panel";
import { Patterns } from "./patterns";
import { Roots } from "./roots";
import { type State, Store, type View } from "./state";
import { LinesTable } from "./table";
import { themeButton } from "./theme";
import { Toolbar } from "./toolbar";
import { formatCount } from "./units";

const report = readReport();
const patterns = new Patterns(report);
const store = new Store({
  view: "lines",
  by: report.data.totals.rankedBy === "alloc" ? "alloc" : "inuse",
  query: "",
  patterns: new Set(),
  package: "",
  sort: "rank",
  finding: "",
  frame: 0,
});

const note = h("div", { class: "toast", attrs: { role: "status", "aria-live": "polite", hidden: true } });
let noteTimer = 0;
function say(text: string): void {
  replace(note, text);
  note.hidden = false;
  clearTimeout(noteTimer);
  noteTimer = window.setTimeout(() => {
    note.hidden = true;
  }, 2500);
}

async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    say(`${what} copied`);
  } catch {
    const area = h("textarea", { class: "copy-area", attrs: { "aria-hidden": "true" } });
    area.value = text;
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    say(isDone ? `${what} copied` : "This browser does not let the page copy");
  }
}

const table = new LinesTable(report, patterns, store);
const flame = new FlameTab(report, patterns, store);
const entries = new EntryPoints(report, store);
const roots = new Roots(report, store);
const memory = new MemoryTab(report.data);
const copyButton = h(
  "button",
  {
    class: "copy",
    attrs: { type: "button", title: "Copy the lines shown, tab-separated" },
    on: { click: () => void copy(table.tsv(), `${formatCount(table.count)} lines`) },
  },
  "Copy",
);
const results = h("span", "results", table.result, flame.result);
const toolbar = new Toolbar(report, patterns, store, results, copyButton);
const panel = new Panel(report, patterns, store, {
  neighbours: (line) => table.neighbours(line),
  copy: (text, what) => void copy(text, what),
});

const titles: Record<View, string> = {
  lines: `Lines${report.lines.length ? ` ${formatCount(report.lines.length)}` : ""}`,
  memory: "Memory",
  flame: "Flame graph",
  entries: `Entry points${report.data.entries.length ? ` ${report.data.entries.length}` : ""}`,
  roots: `Roots${report.data.roots.rows.length ? ` ${formatCount(report.data.roots.rows.length + report.data.roots.leftOut)}` : ""}`,
};
const views: Record<View, HTMLElement> = {
  lines: table.element,
  memory: memory.element,
  flame: flame.element,
  entries: entries.element,
  roots: roots.element,
};
const names = Object.keys(views) as View[];
const tabs = names.map((view) =>
  h(
    "button",
    {
      class: "tab",
      attrs: { type: "button", role: "tab", id: `tab-${view}`, "aria-controls": `view-${view}` },
      on: { click: () => store.set({ view }), keydown: (event) => stepTabs(event, view) },
    },
    titles[view],
  ),
);
function stepTabs(event: KeyboardEvent, view: View): void {
  const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
  if (!step) return;
  const next = (names.indexOf(view) + step + names.length) % names.length;
  store.set({ view: names[next] ?? "lines" });
  tabs[next]?.focus();
  event.preventDefault();
}
for (const view of names) {
  views[view].id = `view-${view}`;
  views[view].setAttribute("role", "tabpanel");
  views[view].setAttribute("aria-labelledby", `tab-${view}`);
}

const main = h(
  "main",
  {},
  h("div", "first-screen", verdict(report, store), witnessPanel(report)),
  h("div", { class: "tabs", attrs: { role: "tablist", "aria-label": "Views" } }, ...tabs),
  toolbar.element,
  ...names.map((view) => views[view]),
);
const keyboard = new Keyboard(store, {
  search: () => toolbar.search.focus(),
  list: () => table.focusRow(),
});
replace(
  document.getElementById("app") ?? document.body,
  h(
    "header",
    "top",
    headline(report),
    witnessLink(report),
    h(
      "div",
      "buttons",
      keyboard.button,
      themeButton(() => {
        flame.redraw();
        memory.redraw();
      }),
    ),
  ),
  h("div", "columns", main, panel.element),
  h("footer", "bottom quiet", `${report.data.tool}. This page is one file: it loads nothing and sends nothing.`),
  note,
  keyboard.dialog,
);

let opener: Element | null = null;
function show(state: State, changed: ReadonlySet<keyof State>): void {
  names.forEach((view, index) => {
    const isChosen = view === state.view;
    views[view].hidden = !isChosen;
    tabs[index]?.setAttribute("aria-selected", String(isChosen));
    if (tabs[index]) tabs[index].tabIndex = isChosen ? 0 : -1;
  });
  document.body.dataset.view = state.view;
  document.body.classList.toggle("has-panel", Boolean(state.finding));
  if (changed.has("view") && state.view === "flame") flame.update();
  if (changed.has("view") && state.view === "memory") memory.update();
  if (!changed.has("finding") && !changed.has("by")) return;
  const wasInside = panel.element.contains(document.activeElement);
  if (state.finding && !wasInside) opener = document.activeElement;
  panel.show(state.finding);
  if (state.finding && wasInside) panel.element.focus({ preventScroll: true });
  if (!state.finding && wasInside && opener instanceof HTMLElement && opener.isConnected) opener.focus();
}
store.listen(show);
show(store.state, new Set<keyof State>(["view", "finding"]));
document.body.dataset.ready = "true";
