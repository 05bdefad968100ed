// The chart of both rates over the last five minutes, with the events marked.

import uPlot from "/webjars/uplot/1.6.30/dist/uPlot.esm.js";
import { clock, number, text } from "./text.js";

const WINDOW = 300;
const SHORTEST_WINDOW = 90;
const MARKED = { FAILED: "--bad", EXPIRED: "--bad", REJECTED: "--stale", STALE: "--stale", RECOVERED: "--good",
  BURST: "--upstream", AUTHING: "--soft", REDIS: "--soft", STORE: "--stale" };

const box = document.getElementById("chart");
const style = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

let plot;
let points = [];
let marks = [];

function markEvents(u) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([3 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const { type, first } of marks) {
    const x = Math.round(u.valToPos(first / 1000, "x", true));
    if (x >= bbox.left && x <= bbox.left + bbox.width) {
      ctx.strokeStyle = style(MARKED[type]);
      ctx.beginPath();
      ctx.moveTo(x, bbox.top);
      ctx.lineTo(x, bbox.top + bbox.height);
      ctx.stroke();
    }
  }
  ctx.restore();
}

// Grows to the five minutes, as there would be nothing to see at first.
function window() {
  const now = Date.now() / 1000;
  const start = points.length ? points[0].time / 1000 : now;
  return [Math.max(now - WINDOW, Math.min(start, now - SHORTEST_WINDOW)), now];
}

function create() {
  const axis = { stroke: style("--soft"), font: "11px system-ui", ticks: { show: false } };
  const grid = { stroke: style("--line"), width: 1 };
  const options = {
    width: box.clientWidth,
    height: box.clientHeight,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true, range: window },
      // Linear up to about a hundred, logarithmic beyond: a thousand calls at once must not flatten all else.
      served: { distr: 4, asinh: 50, range: (u, min, max) => [0, Math.max(60, max * 1.1)] },
      upstream: { range: (u, min, max) => [0, Math.max(4, max + 1)] }
    },
    axes: [
      { ...axis, grid: { show: false }, size: 24, space: 90, incrs: [15, 30, 60, 120],
        values: (u, ticks) => ticks.map((second) => clock(second * 1000)) },
      { ...axis, scale: "served", grid, size: 44, filter: (u, splits) => splits, splits: (u, i, min, max) => [0, 20, 50, 200, 1000, 5000].filter((v) => v <= max),
        values: (u, ticks) => ticks.map((v) => number(v)) },
      { ...axis, scale: "upstream", side: 1, grid: { show: false }, size: 28, stroke: style("--upstream"),
        splits: (u, i, min, max) => (max <= 8 ? [0, 2, 4, 6, 8] : [0, Math.floor(max / 2), Math.floor(max)]).filter((v) => v <= max) }
    ],
    series: [
      {},
      { scale: "served", stroke: style("--served"), fill: style("--served-wash"), width: 1.5, points: { show: false } },
      { scale: "upstream", stroke: style("--upstream"), fill: style("--upstream"), width: 0, points: { show: false },
        paths: uPlot.paths.bars({ size: [1, 4, 3], align: 0 }) }
    ],
    hooks: { drawClear: [markEvents] }
  };
  plot = new uPlot(options, data(), box);
}

function data() {
  return [points.map((p) => p.time / 1000), points.map((p) => p.served), points.map((p) => p.upstream || null)];
}

function sum(name) {
  return number(points.reduce((total, point) => total + point[name], 0));
}

export function showChart(update, log) {
  const since = update.now - WINDOW * 1000;
  points = points.concat(update.points).filter((point) => point.time > since);
  marks = log.filter(({ type, first }) => MARKED[type] && first > since);
  if (!plot) {
    create();
  }
  plot.setData(data());
  box.setAttribute("aria-label", text("chart-summary", { served: sum("served"), upstream: sum("upstream") }));
}

export function redrawChart() {
  plot?.destroy();
  create();
}

new ResizeObserver(() => plot?.setSize({ width: box.clientWidth, height: box.clientHeight })).observe(box);
