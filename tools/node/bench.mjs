// Median milliseconds of mjml2html in a warm process: node bench.mjs RUNS FILE; JSON on standard output.
import { readFileSync } from "node:fs";
import mjml2html from "mjml";

const runs = Number(process.argv[2]);
const source = readFileSync(process.argv[3], "utf8");
for (let i = 0; i < 30; i++) await mjml2html(source);
const times = [];
for (let i = 0; i < runs; i++) {
  const began = performance.now();
  await mjml2html(source);
  times.push(performance.now() - began);
}
times.sort((a, b) => a - b);
process.stdout.write(JSON.stringify({ median: times[Math.floor(runs / 2)] }));
