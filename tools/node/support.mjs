// What mail clients do not support of letters: node support.mjs CLIENT,CLIENT FILE...; JSON on standard output,
// {client: {feature: "none" | "partial"}}.
import { readFileSync } from "node:fs";
import { caniemail } from "caniemail";

const [clients, ...files] = process.argv.slice(2);
const found = {};
for (const file of files) {
  const { issues } = caniemail({ clients: clients.split(","), html: readFileSync(file, "utf8") });
  for (const list of [issues.warnings, issues.errors]) {
    for (const [client, features] of list) {
      for (const { title, support } of features) (found[client] ??= {})[title] = support;
    }
  }
}
process.stdout.write(JSON.stringify(found));
