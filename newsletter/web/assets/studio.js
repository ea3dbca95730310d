// The page of the preview studio. What it is told is put in as text, never as markup.
"use strict";

const CHOICES = {
  view: ["letter", "text", "markdown"],
  width: ["phone", "desktop"],
  scheme: ["light", "dark", "inverted"],
  pictures: ["on", "off"],
};
const PIXELS = {phone: 375, desktop: 700};
const ROW = {phone: 375, desktop: 960}; // a line of an inbox, at most; on a desktop at least as wide as the letter
const FILES = {text: "/issue.txt", markdown: "/issue.md"};
const KEYS = {
  1: () => ({width: "phone"}),
  2: () => ({width: "desktop"}),
  d: () => ({scheme: chosen.scheme === "dark" ? "light" : "dark"}),
  v: () => ({scheme: chosen.scheme === "inverted" ? "light" : "inverted"}),
  i: () => ({pictures: chosen.pictures === "on" ? "off" : "on"}),
  t: () => ({view: chosen.view === "text" ? "letter" : "text"}),
  m: () => ({view: chosen.view === "markdown" ? "letter" : "markdown"}),
};
const SANDBOX = "allow-popups allow-popups-to-escape-sandbox";

const chosen = {view: "letter", width: innerWidth < 760 ? "phone" : "desktop", scheme: "light", pictures: "on"};
let state = {version: "", proof: null, fault: ""};
let shown = "";

const at = id => document.getElementById(id);
const number = value => value.toLocaleString("en");
const plural = (n, word) => `${number(n)} ${word}${n === 1 ? "" : "s"}`;

function make(tag, text, kind) {
  const element = document.createElement(tag);
  element.textContent = text;
  if (kind) element.className = kind;
  return element;
}

// What is chosen stands in the address, so that a reload keeps it.

function readAddress() {
  for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
    if (Object.hasOwn(CHOICES, name) && CHOICES[name].includes(value)) chosen[name] = value;
  }
  show();
}

function choose(change) {
  Object.assign(chosen, change);
  history.replaceState(null, "", "#" + new URLSearchParams(chosen));
  show();
}

// The letter.

function show() {
  Object.assign(document.body.dataset, chosen);
  for (const button of document.querySelectorAll("button")) {
    button.setAttribute("aria-pressed", String(chosen[button.dataset.name] === button.dataset.value));
    button.dataset.label = button.textContent;
  }
  at("pictures").disabled = chosen.view !== "letter";
  const there = state.proof !== null && !state.fault;
  document.body.dataset.phase = state.fault ? "fault" : there ? "shown" : "waiting";
  at("fault").hidden = !state.fault;
  at("fault-line").textContent = state.fault;
  at("inbox").hidden = at("screen").hidden = !there;
  at("glass").hidden = chosen.view !== "letter";
  at("plain").hidden = chosen.view === "letter";
  if (!there) return;
  if (chosen.view === "letter") showLetter();
  else showPlain();
  fit();
}

function showLetter() {
  const query = new URLSearchParams({scheme: chosen.scheme, pictures: chosen.pictures, version: state.version});
  const address = `/letter?${query}`;
  if (address === shown) return;
  shown = address;
  const frame = document.createElement("iframe");
  frame.title = "The letter";
  frame.setAttribute("sandbox", SANDBOX);
  frame.referrerPolicy = "no-referrer";
  frame.style.colorScheme = chosen.scheme === "dark" ? "dark" : "light";
  frame.className = "next"; // the one before stays until this one is there, so that nothing flashes
  frame.src = address;
  frame.addEventListener("load", () => {
    if (address !== shown) return frame.remove();
    for (const other of [...at("glass").children]) if (other !== frame) other.remove();
    frame.className = "";
  });
  at("glass").append(frame);
}

async function showPlain() {
  const view = chosen.view;
  const answer = await fetch(FILES[view]).catch(() => null);
  if (answer?.ok && view === chosen.view) {
    const text = await answer.text();
    const plain = at("plain");
    if (plain.textContent !== text) plain.textContent = text;
  }
}

// A letter that is wider than the room for it is drawn smaller, not narrower.
function fit() {
  const style = getComputedStyle(at("stage"));
  const room = at("stage").clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
  const wide = PIXELS[chosen.width] + (room > PIXELS[chosen.width] + 2 ? 2 : 0); // 2: the border around it
  const scale = Math.min(1, room / wide);
  at("stage").style.setProperty("--wide", `${PIXELS[chosen.width]}px`);
  at("stage").style.setProperty("--shown", `${Math.min(wide, room)}px`);
  at("stage").style.setProperty("--row", `${scale < 1 ? wide : Math.min(room, Math.max(wide, ROW[chosen.width]))}px`);
  at("inbox").style.zoom = scale < 1 ? scale : "";
  at("glass").style.transform = scale < 1 ? `scale(${scale})` : "";
  at("glass").style.height = `${at("screen").clientHeight / scale}px`;
}

// What there is to say about it.

function tell() {
  const proof = state.proof;
  document.title = state.fault ? "Fault · Preview" : proof ? `${proof.subject} · Preview` : "Preview";
  if (!proof) return;
  at("issue").textContent = `${proof.day} · ${proof.edition} · ${proof.language} · ` +
    `${proof.entries} of ${plural(proof.collected, "paper")}`;
  tellInbox(proof);
  tellWeight(proof.bytes);
  tellFindings(proof.findings);
  at("about").hidden = proof.notes.length === 0;
  at("notes").replaceChildren(...proof.notes.map(note => make("li", note)));
}

function tellInbox(proof) {
  const inbox = at("inbox");
  for (const name of ["sender", "subject", "preheader"]) inbox.querySelector(`.${name}`).textContent = proof[name];
  inbox.querySelector(".face").textContent = [...proof.sender.trim()][0]?.toUpperCase() ?? "";
  const time = new Date(proof.made_at);
  inbox.querySelector("time").textContent = time.toLocaleTimeString("en", {hour: "numeric", minute: "2-digit"});
  const length = text => plural([...text].length, "character");
  at("lines").replaceChildren(
    make("dt", "Subject"), make("dd", length(proof.subject)), make("dd", proof.subject, "words"),
    make("dt", "Preheader"), make("dd", length(proof.preheader)), make("dd", proof.preheader, "words"),
  );
  for (const words of at("lines").querySelectorAll(".words")) words.dir = "auto";
}

function tellWeight(bytes) {
  const left = bytes.clip - bytes.html;
  at("bytes").textContent = number(bytes.html);
  at("left").textContent = left >= 0 ? `bytes of HTML, ${number(left)} left` : `bytes of HTML, ${number(-left)} too many`;
  at("bar").parentElement.classList.toggle("over", left < 0);
  at("bar").setAttribute("aria-label", `${Math.round(100 * bytes.html / bytes.clip)} % of ${number(bytes.clip)} bytes`);
  at("bar").title = `Gmail cuts a letter at about ${number(bytes.clip)} bytes; from ${number(bytes.budget)} on less is told`;
  at("fill").style.width = `${Math.min(100, 100 * bytes.html / bytes.clip)}%`;
  at("tick").style.left = `${100 * bytes.budget / bytes.clip}%`;
  at("weights").replaceChildren(
    make("dt", "Gmail cuts at about"), make("dd", number(bytes.clip)),
    make("dt", "Less is told from"), make("dd", number(bytes.budget)),
    make("dt", "Plain text"), make("dd", number(bytes.text)),
    make("dt", "Whole message"), make("dd", number(bytes.message)),
  );
}

function tellFindings(findings) {
  const errors = findings.filter(each => each.severity === "error").length;
  const warnings = findings.length - errors;
  const said = [errors && plural(errors, "error"), warnings && plural(warnings, "warning")].filter(Boolean);
  at("found").textContent = said.join(", ");
  at("unfound").textContent = said.length ? "" : "Nothing found.";
  at("findings").replaceChildren(...findings.map(each => {
    const item = make("li", "", each.severity);
    const head = make("h3", each.what + " ");
    head.append(make("small", each.severity === "error" ? `error, ${each.rule}` : each.rule));
    item.append(head, make("p", each.where, "where"), make("p", each.why, "soft"));
    return item;
  }));
}

// What the server says.

async function load() {
  const answer = await fetch("/state").catch(() => null);
  if (!answer?.ok) return;
  state = await answer.json();
  tell();
  show();
  const time = new Date().toLocaleTimeString("en", {hour12: false});
  at("status").textContent = state.fault ? `Fault since ${time}` : state.proof ? `Made at ${time}` : "Making the letter …";
}

let events = null;

function listen() {
  events?.close();
  if (document.hidden) return; // a browser keeps few connections to one server; a hidden page needs none
  events = new EventSource("/events");
  events.addEventListener("message", event => {
    if (event.data !== state.version) load();
  });
  events.addEventListener("error", () => { at("status").textContent = "The studio was stopped; start it again"; });
  events.addEventListener("open", () => { if (state.version) load(); });
}

document.addEventListener("click", event => {
  const button = event.target.closest("button");
  if (!button) return;
  const {name, value, other} = button.dataset;
  choose({[name]: other && chosen[name] === value ? other : value});
});
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  const change = KEYS[event.key];
  if (change) choose(change());
});
document.addEventListener("visibilitychange", listen);
addEventListener("hashchange", readAddress);
addEventListener("resize", fit);
readAddress();
listen();
