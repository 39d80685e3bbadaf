// Keys that work everywhere, and the dialog that lists them.
import { h } from "./dom";
import type { Store } from "./state";

const KEYS: readonly (readonly [string, string])[] = [
  ["/", "search"],
  ["↑ ↓", "move through the lines; with an open finding, through findings"],
  ["Enter", "open the line, or zoom into the frame"],
  ["o", "open the source of the chosen frame"],
  ["← →", "move between frames side by side"],
  ["1 2 3 4", "lines, flame graph, entry points, roots"],
  ["m", "where memory went"],
  ["i a", "bytes in use now, bytes allocated"],
  ["t", "light or dark"],
  ["Esc", "close, zoom out, clear the search"],
  ["?", "this list"],
];

export interface KeyActions {
  search(): void;
  list(): void;
}

export class Keyboard {
  readonly dialog: HTMLDialogElement;
  readonly button: HTMLElement;

  constructor(
    private readonly store: Store,
    private readonly actions: KeyActions,
  ) {
    const close = h(
      "button",
      { class: "icon", attrs: { type: "button", "aria-label": "Close" }, on: { click: () => this.dialog.close() } },
      "✕",
    );
    this.dialog = h(
      "dialog",
      { class: "help", attrs: { "aria-label": "Keys" } },
      h("header", "panel-head", h("h2", {}, "Keys"), h("div", "buttons", close)),
      h(
        "dl",
        {},
        ...KEYS.map(([key, what]) =>
          h("div", {}, h("dt", {}, ...key.split(" ").map((one) => h("kbd", {}, one))), h("dd", {}, what)),
        ),
      ),
    );
    this.button = h(
      "button",
      {
        class: "icon",
        attrs: { type: "button", "aria-label": "Keys (key: ?)", title: "Keys (key: ?)", "aria-keyshortcuts": "?" },
        on: { click: () => this.dialog.showModal() },
      },
      "?",
    );
    addEventListener("keydown", (event) => this.key(event));
  }

  private key(event: KeyboardEvent): void {
    if (event.defaultPrevented || event.metaKey || event.ctrlKey || event.altKey || this.dialog.open) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    const isTyping = target.matches("input, textarea, select");
    if (event.key === "Escape") {
      this.escape(target);
      return;
    }
    if (isTyping) {
      if (event.key === "ArrowDown" && target.matches("input")) {
        this.actions.list();
        event.preventDefault();
      }
      return;
    }
    const act = this.binding(event.key, target);
    if (!act) return;
    act();
    event.preventDefault();
  }

  private binding(key: string, target: HTMLElement): (() => void) | undefined {
    const { store } = this;
    const isFree = target === document.body;
    const bindings: Record<string, () => void> = {
      "/": () => this.actions.search(),
      "?": () => this.dialog.showModal(),
      "1": () => store.set({ view: "lines" }),
      "2": () => store.set({ view: "flame" }),
      "3": () => store.set({ view: "entries" }),
      "4": () => store.set({ view: "roots" }),
      m: () => store.set({ view: "memory" }),
      i: () => document.querySelector<HTMLElement>('[data-metric="inuse"]')?.click(),
      a: () => document.querySelector<HTMLElement>('[data-metric="alloc"]')?.click(),
      t: () => document.getElementById("theme")?.click(),
    };
    if (isFree && key === "ArrowDown" && store.state.view === "lines") return () => this.actions.list();
    return bindings[key];
  }

  private escape(target: HTMLElement): void {
    const { store } = this;
    if (store.state.finding) store.set({ finding: "" });
    else if (store.state.frame) store.set({ frame: 0 });
    else if (store.state.query) store.set({ query: "" });
    else target.blur();
  }
}
