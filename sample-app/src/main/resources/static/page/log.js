// The event log.

import { clock, duration, number, requests, setText, text } from "./text.js";

const MAX = 100;

const list = document.getElementById("log");
const entries = new Map();

const reason = (data) => text(`reason-${data.kind}`, data);

const sentences = {
  FETCHED: ({ millis }) => text("event-FETCHED", { millis: number(millis) }),
  REFRESHED: ({ millis }) => text("event-REFRESHED", { millis: number(millis) }),
  FAILED: (data) => text("event-FAILED", { reason: reason(data) }),
  RECOVERED: (data) => text(`event-RECOVERED-${data.after}`, { ...data, reason: data.kind && reason(data),
    noticed: data.failedCalls > 0 ? text("noticed-some", { n: number(data.failedCalls) }) : text("noticed-none") }),
  BURST: (data) => burstSentence(data),
  AUTHING: (data) => text("event-AUTHING", { mode: text(`mode-${data.mode}`) }),
  STREAM: (data) => text(`event-STREAM-${data.on ? "on" : "off"}`),
  REDIS: (data) => text(`event-REDIS-${data.on ? "on" : "off"}`),
  STORE: (data) => text(`event-STORE-${data.up ? "up" : "down"}`)
};

export function burstSentence(burst) {
  return text(burst.failed > 0 ? "result-burst-failed" : "result-burst", { callers: number(burst.callers),
    requests: requests(burst.requests), failed: number(burst.failed), slowest: duration(burst.slowestMicros),
    median: duration(burst.medianMicros) });
}

function add(parent, name, className) {
  const element = document.createElement(name);
  if (className) {
    element.className = className;
  }
  parent.append(element);
  return element;
}

function newItem() {
  const item = document.createElement("li");
  add(item, "time", "");
  add(item, "span", "type");
  const words = add(item, "span", "words");
  add(words, "strong", "of");
  add(words, "span", "sentence");
  add(words, "span", "times");
  return item;
}

function show(item, { type, account, last, count, data }) {
  item.dataset.type = type;
  const time = item.querySelector("time");
  time.dateTime = new Date(last).toISOString();
  setText(time, clock(last));
  setText(item.querySelector(".type"), text(`type-${type}`));
  setText(item.querySelector(".of"), account ?? "");
  setText(item.querySelector(".sentence"), sentences[type]?.(data) ?? text(`event-${type}`, data));
  setText(item.querySelector(".times"), count > 1 ? ` ×${number(count)}` : "");
}

// Takes new and changed entries, the latest first, and returns all.
export function showLog(changed) {
  for (const entry of [...changed].reverse()) {
    const item = entries.get(entry.id)?.item ?? newItem();
    show(item, entry);
    entries.set(entry.id, { entry, item });
    if (list.firstElementChild !== item) {
      list.prepend(item);
    }
  }
  while (list.children.length > MAX) {
    const oldest = list.lastElementChild;
    entries.forEach(({ item }, id) => item === oldest && entries.delete(id));
    oldest.remove();
  }
  return [...entries.values()].map(({ entry }) => entry);
}
