// The page's words and numbers in the language that the server chose.

const island = JSON.parse(document.getElementById("island").textContent);

export const first = island.update;
const { language, texts } = island;

export function text(key, values = {}) {
  return (texts[key] ?? key).replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all);
}

export function number(value, digits = 0) {
  return value.toLocaleString(language, { maximumFractionDigits: digits });
}

export function requests(count) {
  return text(count === 1 ? "requests-one" : "requests-other", { n: number(count) });
}

export function duration(micros) {
  const millis = micros / 1000;
  return `${number(millis, millis < 1 ? 3 : millis < 10 ? 1 : 0)} ms`;
}

export function clock(millis) {
  return new Date(millis).toLocaleTimeString("en-GB");
}

// Changes nothing where nothing has changed, so that a screen reader is not told again.
export function setText(element, value) {
  if (element && element.textContent !== value) {
    element.textContent = value;
  }
}
