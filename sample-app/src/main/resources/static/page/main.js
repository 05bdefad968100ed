import { showAccounts } from "./accounts.js";
import { connectAppearance, connectCopyButtons } from "./appearance.js";
import { redrawChart, showChart } from "./chart.js";
import { connectControls, showControls } from "./controls.js";
import { showFlow } from "./flow.js";
import { listen } from "./live.js";
import { showLog } from "./log.js";
import { showNumbers } from "./numbers.js";
import { first, setText, text } from "./text.js";

let latest = 0;

function show(update) {
  if (update.instance !== first.instance) {
    // The application was started anew.
    location.reload();
    return;
  }
  // After a reconnect all points come again.
  update.points = update.points.filter(({ time }) => time > latest);
  latest = Math.max(latest, update.latestPoint);
  showNumbers(update);
  showAccounts(update);
  showControls(update);
  showFlow(update);
  showChart(update, showLog(update.log));
}

function showConnection(state) {
  const connection = document.getElementById("connection");
  connection.dataset.state = state;
  setText(connection, text(`connection-${state}`));
}

connectAppearance(redrawChart);
connectCopyButtons();
connectControls();
show(first);
listen(show, showConnection);
