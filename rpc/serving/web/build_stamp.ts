// static/build.json: SHA-256 of every source and of every built file. A test in Python compares
// them without Node, so a bundle that was not built again after a change is noticed.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative, sep } from "node:path";
import type { Plugin } from "vite";

const SOURCES = ["build_stamp.ts", "index.html", "package-lock.json", "package.json", "public", "src", "tsconfig.json", "vite.config.ts"];

function filesBelow(path: string): string[] {
  const entries = readdirSync(path, { withFileTypes: true, recursive: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

function digests(root: string, paths: string[]): Record<string, string> {
  const named = paths.map((path) => [relative(root, path).split(sep).join("/"), path] as const);
  named.sort(([a], [b]) => (a < b ? -1 : 1));
  const digest = (path: string) => createHash("sha256").update(readFileSync(path)).digest("hex");
  return Object.fromEntries(named.map(([name, path]) => [name, digest(path)]));
}

export function stamp(): Plugin {
  let root = "";
  let out = "";
  return {
    name: "build-stamp",
    apply: "build",
    configResolved(config) {
      root = config.root;
      out = join(config.root, config.build.outDir);
    },
    closeBundle() {
      const sources = SOURCES.flatMap((name) => (/\./.test(name) ? [join(root, name)] : filesBelow(join(root, name))));
      const built = filesBelow(out).filter((path) => !path.endsWith("build.json"));
      const stamped = { sources: digests(root, sources), built: digests(out, built) };
      writeFileSync(join(out, "build.json"), JSON.stringify(stamped, null, 1) + "\n");
    },
  };
}
