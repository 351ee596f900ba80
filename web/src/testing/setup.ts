// What every test starts from: nothing shown, nothing remembered, and what happy-dom lacks of a browser.

import { cleanNotifications } from "@mantine/notifications";
import { cleanup } from "@testing-library/react";
import { afterEach, beforeEach, vi } from "vitest";

beforeEach(() => window.localStorage.clear());
afterEach(() => {
  cleanNotifications();
  cleanup();
});

vi.stubGlobal(
  "ResizeObserver",
  class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
);
