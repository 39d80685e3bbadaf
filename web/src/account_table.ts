// The account as stacked bars: from what the kernel charges down to the live heap, with what is left unexplained.
import { bdi, h, svg } from "./dom";
import { certaintyBadge } from "./head";
import { partColour } from "./memory_colours";
import type { Account } from "./memory_data";
import { formatBytes, formatShare } from "./units";

export class AccountTable {
  readonly element: HTMLElement;

  constructor(account: Account) {
    const whole = Math.max(account.charge ?? 0, account.rss, 1);
    let before = 0;
    const rows = account.parts.map(([slug, title, bytes, certainty]) => {
      const row = this.row(slug, title, bytes, before / whole, bytes / whole, certaintyBadge(certainty));
      before += Math.max(bytes, 0);
      return row;
    });
    const rest = account.unexplained;
    rows.push(this.row("unexplained", "unexplained", rest, before / whole, rest / whole, null));
    const of =
      account.charge === null
        ? `${formatBytes(account.rss)} resident`
        : `${formatBytes(account.charge)} charged to the group, ${formatBytes(account.rss)} resident in the process`;
    this.element = h(
      "section",
      { class: "account", attrs: { "aria-label": "Where memory is" } },
      h("h3", {}, "Where memory is"),
      h("p", "quiet", of),
      h("table", { attrs: { role: "table", "aria-label": "Account of memory" } }, h("tbody", {}, ...rows)),
      account.untouched > 0
        ? h("p", "quiet", `${formatBytes(account.untouched)} of live heap was never written, so it is not resident.`)
        : null,
    );
  }

  private row(
    slug: string,
    title: string,
    bytes: number,
    start: number,
    share: number,
    badge: HTMLElement | null,
  ): HTMLElement {
    const width = Math.max(Math.min(share, 1 - start), 0) * 100;
    const bar = svg(
      "svg",
      { viewBox: "0 0 100 10", preserveAspectRatio: "none", class: "account-bar", "aria-hidden": "true" },
      svg("rect", { x: 0, y: 0, width: 100, height: 10, class: "track" }),
      svg("rect", { x: start * 100, y: 0, width, height: 10, class: `part ${partColour(slug)}` }),
    );
    return h(
      "tr",
      { attrs: { role: "row", "data-part": slug } },
      h("th", { attrs: { role: "rowheader", scope: "row" } }, bdi(title, 80)),
      h("td", { class: "bar-cell", attrs: { role: "cell" } }, bar),
      h("td", { class: "amount", attrs: { role: "cell" } }, formatBytes(bytes)),
      h("td", { class: "of-whole quiet", attrs: { role: "cell" } }, formatShare(Math.max(share, 0))),
      h("td", { class: "vouch", attrs: { role: "cell" } }, badge),
    );
  }
}
