// The picture of what flows now.

import { number, setText, text } from "./text.js";

const picture = document.getElementById("flow");
const edge = (name) => picture.querySelector(`[data-edge=${name}]`);
const authing = picture.querySelector("[data-node=authing]");

let points = [];

const average = (name, seconds) => {
  const latest = points.slice(-seconds);
  return latest.length ? latest.reduce((sum, point) => sum + point[name], 0) / latest.length : 0;
};

function showEdge(name, label, on, bad = false) {
  setText(edge(name).querySelector("text"), label);
  edge(name).classList.toggle("on", on);
  edge(name).classList.toggle("bad", bad);
}

export function showFlow(update) {
  points = points.concat(update.points).slice(-60);
  const mode = update.controls?.authing ?? (update.accounts.some(({ failures }) => failures > 0) ? "failing" : "up");
  const bad = ["down", "throttled", "html", "failing"].includes(mode);
  const served = number(average("served", 2));
  const wechat = number(average("wechat", 10), 1);
  const upstream = number(points.reduce((sum, point) => sum + point.upstream, 0));
  showEdge("callers", text("per-second", { n: served }), average("served", 2) > 0);
  showEdge("authing", text("per-minute", { n: upstream }), average("upstream", 3) > 0, bad);
  showEdge("wechat", text("per-second", { n: wechat }), average("wechat", 2) > 0);
  authing.classList.toggle("bad", bad);
  authing.classList.toggle("slow", mode === "slow");
  setText(authing.querySelector("[data-status]"), mode === "failing" ? text("type-FAILED") : text(`mode-${mode}`));
  setText(document.getElementById("flow-summary"), text("flow-summary", { served, upstream, wechat }));
}
