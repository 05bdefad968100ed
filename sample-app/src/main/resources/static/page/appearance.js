// The theme switch and the copy buttons.

import { text } from "./text.js";

const YEAR = 31536000;

export function connectAppearance(onThemeChange) {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (root.dataset.theme === "auto" ? dark.matches : root.dataset.theme === "dark");
  document.getElementById("theme").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=${YEAR}; samesite=lax`;
    onThemeChange();
  });
  dark.addEventListener("change", onThemeChange);
}

export function connectCopyButtons() {
  for (const button of document.querySelectorAll(".copy")) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = text("copied");
        setTimeout(() => (button.textContent = text("copy")), 2000);
      }
      catch {
        // Without https the clipboard is not to be had: what is to be copied is at least selected.
        getSelection().selectAllChildren(code);
      }
    });
  }
}
