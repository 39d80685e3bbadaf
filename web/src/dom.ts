// Elements are built here and nowhere else. Text becomes text nodes: there is no way from a string to markup.

type Child = Node | string | null | undefined | false;
type Handlers = { [Name in keyof HTMLElementEventMap]?: (event: HTMLElementEventMap[Name]) => void };

export interface Props {
  class?: string;
  on?: Handlers;
  attrs?: Record<string, string | number | boolean | null | undefined>;
}

// Controls, bidirectional and zero-width characters, line separators, lone surrogates.
const HIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must be made visible
  /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text from a target with everything spelled out that would be invisible or reorder its neighbours. */
export function visible(text: string): string {
  return text.replace(HIDDEN, (char) => `⟨U+${char.charCodeAt(0).toString(16).toUpperCase().padStart(4, "0")}⟩`);
}

/** A long text cut in the middle: a symbol's ends tell more than its middle. */
export function shorten(text: string, longest = 120): string {
  if (text.length <= longest) return text;
  const head = Math.ceil(longest * 0.6);
  return `${text.slice(0, head)}…${text.slice(text.length - (longest - head - 1))}`;
}

export function h<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  props: Props | string = {},
  ...children: Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name);
  const settings = typeof props === "string" ? { class: props } : props;
  if (settings.class) element.className = settings.class;
  setAttributes(element, settings.attrs ?? {});
  for (const [type, handler] of Object.entries(settings.on ?? {})) {
    element.addEventListener(type, handler as EventListener);
  }
  append(element, children);
  return element;
}

/** Text that came from a target: isolated, so that it cannot change the direction of what is around it. */
export function bdi(text: string, longest = 4000): HTMLElement {
  return h("bdi", { attrs: { dir: "ltr" } }, shorten(text, longest));
}

/** A text that may be very long: cut, with a way to see all of it. */
export function long(text: string, longest: number): HTMLElement {
  if (text.length <= longest) return bdi(text, longest);
  const short = bdi(text, longest);
  const more = h("button", { class: "all-text", attrs: { type: "button" } }, `all ${text.length} characters`);
  more.addEventListener("click", (event) => {
    event.preventDefault();
    short.replaceChildren(visible(text));
    more.remove();
  });
  return h("span", {}, short, " ", more);
}

export function svg(name: string, attrs: Record<string, string | number>, ...children: Node[]): SVGElement {
  const element = document.createElementNS("http://www.w3.org/2000/svg", name);
  setAttributes(element, attrs);
  element.append(...children);
  return element;
}

export function replace(element: Element, ...children: Child[]): void {
  element.replaceChildren();
  append(element, children);
}

function append(element: Element, children: readonly Child[]): void {
  for (const child of children) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === "string" ? visible(child) : child);
  }
}

function setAttributes(element: Element, attrs: Record<string, string | number | boolean | null | undefined>): void {
  for (const [name, value] of Object.entries(attrs)) {
    if (value === null || value === undefined || value === false) continue;
    element.setAttribute(name, value === true ? "" : typeof value === "string" ? visible(value) : String(value));
  }
}
