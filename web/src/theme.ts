// Light or dark: as the system says, until the reader says otherwise.
import { h } from "./dom";

type Theme = "light" | "dark";
const KEY = "whyheap-theme";

export function themeButton(onChange: () => void): HTMLElement {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const root = document.documentElement;
  const current = (): Theme => (root.dataset.theme as Theme | undefined) ?? (system.matches ? "dark" : "light");
  const button = h(
    "button",
    {
      class: "icon",
      attrs: {
        type: "button",
        "aria-label": "Light or dark (key: t)",
        title: "Light or dark (key: t)",
        id: "theme",
        "aria-keyshortcuts": "t",
      },
      on: {
        click: () => {
          choose(current() === "dark" ? "light" : "dark");
          onChange();
        },
      },
    },
    "◐",
  );
  const choose = (theme: Theme) => {
    root.dataset.theme = theme;
    try {
      localStorage.setItem(KEY, theme);
    } catch {
      // a page opened from a file may have no storage: the choice lasts as long as the page
    }
  };
  try {
    const kept = localStorage.getItem(KEY);
    if (kept === "light" || kept === "dark") root.dataset.theme = kept;
  } catch {
    // as above
  }
  system.addEventListener("change", onChange);
  // The flame graph is a picture: it is drawn anew in light colours for paper.
  let kept: string | undefined;
  addEventListener("beforeprint", () => {
    kept = root.dataset.theme;
    root.dataset.theme = "light";
    onChange();
  });
  addEventListener("afterprint", () => {
    if (kept === undefined) delete root.dataset.theme;
    else root.dataset.theme = kept;
    onChange();
  });
  return button;
}
