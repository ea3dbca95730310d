// Seconds in which nodemailer's pool sends messages: node pool.mjs PORT CONNECTIONS MESSAGES FILE; JSON on standard output.
import { readFileSync } from "node:fs";
import { createTransport } from "nodemailer";

const [port, connections, messages] = process.argv.slice(2, 5).map(Number);
const { subject, html, text } = JSON.parse(readFileSync(process.argv[5], "utf8"));
const pool = createTransport({
  host: "127.0.0.1", port, secure: false, ignoreTLS: true, pool: true, maxConnections: connections, maxMessages: Infinity,
});
const began = performance.now();
await Promise.all(
  Array.from({ length: messages }, (_, number) =>
    pool.sendMail({ from: "n@example.org", to: `r${number}@example.org`, subject, html, text }),
  ),
);
const seconds = (performance.now() - began) / 1000;
pool.close();
process.stdout.write(JSON.stringify({ seconds }));
