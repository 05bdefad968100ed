// The large numbers.

import { number, setText, text } from "./text.js";

const $ = (id) => document.getElementById(id);

export function showNumbers({ served, upstream, failed }) {
  setText($("served"), number(served));
  setText($("upstream"), number(upstream));
  setText($("failed"), number(failed));
  const ratio = upstream > 0 ? Math.floor(served / upstream) : 0;
  setText($("per-request"), ratio > 1 ? text("per-request", { n: number(ratio) }) : "");
  setText($("noticed"), served === 0 && failed === 0 ? "" : text(failed > 0 ? "failed-some" : "failed-none"));
  $("failed-number").className = failed > 0 ? "number bad" : "number good";
}
