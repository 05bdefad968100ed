// What can be tried in the demo. The controls are on the page in profile "demo" only.

import { burstSentence } from "./log.js";
import { setText, text } from "./text.js";

// For so long an update may be older than what was just chosen.
const SETTLING = 1000;

const result = document.getElementById("result");

let chosenAt = -Infinity;

async function post(path, body) {
  chosenAt = performance.now();
  const response = await fetch(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });
  const answer = response.status === 204 ? null : await response.json();
  if (!response.ok) {
    throw new Error(answer?.detail ?? response.status);
  }
  return answer;
}

function tell(sentence, kind) {
  setText(result, sentence);
  result.dataset.kind = kind;
}

async function attempt(action) {
  try {
    await action();
  }
  catch (error) {
    tell(text("result-failed", { reason: error.message }), "bad");
  }
}

// A button keeps the focus while its action runs.
function onClick(button, action) {
  button.addEventListener("click", async () => {
    if (button.ariaDisabled === "true") {
      return;
    }
    button.ariaDisabled = "true";
    await attempt(action);
    button.ariaDisabled = "false";
  });
}

function onSwitch(input, action) {
  input?.addEventListener("change", () => attempt(() => action(input.checked)));
}

export function connectControls() {
  if (!result) {
    return;
  }
  for (const button of document.querySelectorAll("[data-burst]")) {
    onClick(button, async () => {
      tell(text("burst-running"), "info");
      const burst = await post("/demo/burst", { cold: button.dataset.burst === "cold" });
      tell(burstSentence(burst), burst.failed > 0 ? "bad" : "good");
    });
  }
  document.getElementById("accounts").addEventListener("click", ({ target }) => {
    const account = target.closest("[data-reject]")?.dataset.reject;
    if (account) {
      attempt(async () => {
        const { answered } = await post("/demo/reject", { account });
        tell(text(answered ? "result-rejected" : "result-rejected-failed", { account }), answered ? "good" : "bad");
      });
    }
  });
  for (const radio of document.getElementsByName("authing")) {
    radio.addEventListener("change", () => attempt(async () => {
      await post("/demo/authing", { mode: radio.value.toUpperCase() });
      tell(text(`result-mode-${radio.value}`), radio.value === "up" ? "good" : "info");
    }));
  }
  for (const name of ["stream", "redis"]) {
    onSwitch(document.getElementById(name), async (on) => {
      await post(`/demo/${name}`, { on });
      tell(text(`result-${name}-${on ? "on" : "off"}`), "info");
    });
  }
}

export function showControls({ controls }) {
  if (!controls || !result || performance.now() - chosenAt < SETTLING) {
    return;
  }
  document.getElementById("stream").checked = controls.stream;
  const redis = document.getElementById("redis");
  if (redis) {
    redis.checked = controls.redis;
  }
  for (const radio of document.getElementsByName("authing")) {
    radio.checked = radio.value === controls.authing;
  }
}
