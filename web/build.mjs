// Bundles web/src into one HTML template: script and style inline, each allowed by its hash and nothing else.
// The two marks are filled by src/whyheap/report/to_html.py.
import { createHash } from "node:crypto";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "src", "whyheap", "report", "page", "index.html");

const bundled = await build({
  absWorkingDir: here,
  entryPoints: ["src/main.ts", "src/styles/page.css"],
  bundle: true,
  minify: true,
  write: false,
  outdir: "out",
  format: "iife",
  target: ["chrome111", "firefox113", "safari16.4"],
  legalComments: "none",
  charset: "ascii",
  logLevel: "warning",
});

const output = (suffix) => {
  const text = bundled.outputFiles.find((file) => file.path.endsWith(suffix))?.text.trim();
  if (text === undefined || /<\/(script|style)/i.test(text)) throw new Error(`bundle ${suffix} cannot stand inline`);
  return text;
};
const hash = (text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`;

const script = output(".js");
const style = output(".css");
const policy = [
  "default-src 'none'",
  `script-src ${hash(script)}`,
  `style-src ${hash(style)}`,
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

const parts = { policy, style, script };
const template = await readFile(join(here, "src", "index.html"), "utf8");
const page = template.replace(/%%(\w+)%%/g, (_, name) => parts[name]);
await mkdir(dirname(target), { recursive: true });
await writeFile(target, page);
process.stdout.write(`${target}: ${(Buffer.byteLength(page) / 1024).toFixed(1)} KiB\n`);
