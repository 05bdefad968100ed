// One row an account: its state, and the life of its token.

import { setText, text } from "./text.js";

const SVG = "http://www.w3.org/2000/svg";
const ZONES = ["FRESH", "DUE", "STALE"];

const list = document.getElementById("accounts");
const rows = new Map();

function shape(svg, name, className, attributes = {}) {
  const element = document.createElementNS(SVG, name);
  element.setAttribute("class", className);
  Object.entries(attributes).forEach(([key, value]) => element.setAttribute(key, value));
  svg.append(element);
  return element;
}

function rowOf(name) {
  if (!rows.has(name)) {
    const element = [...list.children].find((row) => row.dataset.account === name) ?? newRow(name);
    rows.set(name, { element, ...newMeter(element.querySelector(".meter")) });
  }
  return rows.get(name);
}

// An account that was added since the page was loaded.
function newRow(name) {
  const element = list.lastElementChild.cloneNode(true);
  element.dataset.account = name;
  element.querySelector("strong").textContent = name;
  element.querySelector(".meter").replaceChildren();
  const button = element.querySelector("[data-reject]");
  if (button) {
    button.dataset.reject = name;
  }
  list.append(element);
  return element;
}

function newMeter(box) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("aria-hidden", "true");
  shape(svg, "rect", "rail", { width: "100%", height: 8, y: 5, rx: 4 });
  const zones = ZONES.map((zone) => shape(svg, "rect", zone, { height: 8, y: 5 }));
  const gone = shape(svg, "rect", "gone", { height: 8, y: 5, x: 0 });
  const replaced = shape(svg, "svg", "mark", { width: 8, height: 6, overflow: "visible" });
  shape(replaced, "path", "replaced", { d: "M-4 0H4L0 5Z" });
  const now = shape(svg, "rect", "now", { width: 2, height: 14, y: 2, rx: 1 });
  box.append(svg);
  box.setAttribute("role", "meter");
  box.setAttribute("aria-valuemin", "0");
  return { box, zones, gone, now, replaced };
}

const percent = (part) => `${(Math.min(1, Math.max(0, part)) * 100).toFixed(2)}%`;

function span(rect, from, to) {
  rect.setAttribute("x", percent(from));
  rect.setAttribute("width", percent(to - from));
}

function showLife(row, account, now) {
  const { receivedAt, softExpiry, hardExpiry, expiresAt } = account;
  const life = expiresAt - receivedAt;
  const held = receivedAt !== null && expiresAt !== null && life > 0;
  const part = (time) => (time - receivedAt) / life;
  const ends = held ? [0, part(softExpiry ?? expiresAt), part(hardExpiry ?? expiresAt), 1] : [0, 0, 0, 0];
  row.zones.forEach((rect, i) => span(rect, ends[i], ends[i + 1]));
  span(row.gone, 0, held ? part(now) : 0);
  row.now.setAttribute("x", percent(held ? part(now) : 0));
  row.now.toggleAttribute("hidden", !held);
  row.now.setAttribute("opacity", held ? 1 : 0);
  row.replaced.setAttribute("x", percent(account.replacedAt ?? 0));
  row.replaced.setAttribute("opacity", account.replacedAt === null ? 0 : 1);
  const seconds = held ? Math.max(0, Math.ceil((expiresAt - now) / 1000)) : 0;
  const left = !held ? text("no-token") : seconds < 120 ? text("left", { n: seconds }) : text("left-long", { m: Math.floor(seconds / 60) });
  row.box.setAttribute("aria-valuemax", held ? Math.max(1, Math.round(life / 1000)) : 1);
  row.box.setAttribute("aria-valuenow", seconds);
  row.box.setAttribute("aria-valuetext", `${account.state}, ${left}`);
  row.box.setAttribute("aria-label", `${account.name}: ${text("life")}`);
  setText(row.element.querySelector(".left"), left);
}

export function showAccounts({ accounts, now, storeAvailable }) {
  for (const account of accounts) {
    const row = rowOf(account.name);
    const badge = row.element.querySelector(".badge");
    badge.dataset.state = account.state;
    badge.classList.toggle("failing", account.failures > 0);
    setText(badge, account.state);
    setText(row.element.querySelector(".hint"), text(`state-${account.state}`));
    setText(row.element.querySelector(".who code"), account.appId);
    setText(row.element.querySelector(".origin"), account.origin ? text(`origin-${account.origin}`) : "");
    showLife(row, account, now);
  }
  for (const [name, row] of rows) {
    if (!accounts.some((account) => account.name === name)) {
      row.element.remove();
      rows.delete(name);
    }
  }
  const store = document.getElementById("store");
  store.hidden = storeAvailable === null;
  store.classList.toggle("down", storeAvailable === false);
  setText(store, storeAvailable === null ? "" : text(storeAvailable ? "store-up" : "store-down"));
}
