// Starts ReDoc on keymux's own description, which lies beside the page, in the fonts of the reader's system.
const sans = "system-ui, sans-serif";
const mono = "ui-monospace, monospace";
const options = {
  sanitize: true,
  hideDownloadButtons: false,
  theme: {
    typography: {
      fontFamily: sans,
      headings: { fontFamily: sans },
      code: { fontFamily: mono },
    },
  },
};
Redoc.init("openapi.json", options, document.getElementById("redoc"));
