// Before anything is painted: the colour scheme that was chosen, or the system's, so that no page flashes white.
// It is a plain script (build/headScript.ts); the rest of the program is modules and starts at main.tsx.
(() => {
  let chosen = null;
  try {
    chosen = window.localStorage.getItem("keymux-color-scheme");
  } catch {
    // A browser that keeps nothing follows the system.
  }
  const isDark = chosen === "dark" || (chosen !== "light" && window.matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.setAttribute("data-mantine-color-scheme", isDark ? "dark" : "light");
})();
