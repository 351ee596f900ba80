// What the small shared components promise to those who use them.

import { screen, waitFor, within } from "@testing-library/react";
import { expect, it, vi } from "vitest";
import { ApiError } from "@/api/error";
import { answering, show } from "@/testing/show";
import { CodeSnippet } from "./CodeSnippet";
import { ConfirmDialog } from "./ConfirmDialog";
import { Countdown } from "./Countdown";
import { JobProgress } from "./JobProgress";
import { Secret } from "./Secret";
import { StatusBadge } from "./StatusBadge";
import { snippetsOf } from "./snippets";
import { EmptyState, ErrorState } from "./states";

it("a secret is fetched only when it is asked for, and hidden again", async () => {
  const reveal = vi.fn(async () => "AIza-in-full");
  const { user } = await show(<Secret masked="AIza…full" reveal={reveal} />);
  expect(screen.getByText("AIza…full")).toBeTruthy();
  expect(reveal).not.toHaveBeenCalled();
  await user.click(screen.getByRole("button", { name: "Show in full" }));
  expect(await screen.findByText("AIza-in-full")).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Hide" }));
  expect(screen.queryByText("AIza-in-full")).toBeNull();
});

it("a secret that may not be shown has no button for it", async () => {
  await show(<Secret masked="AIza…full" />);
  expect(screen.queryByRole("button")).toBeNull();
});

it("a secret that cannot be had says why", async () => {
  const refused = async () => {
    throw new ApiError(403, "forbidden", "only administrators may do that");
  };
  const { user } = await show(<Secret masked="AIza…full" reveal={refused} />);
  await user.click(screen.getByRole("button", { name: "Show in full" }));
  expect(await screen.findByText("only administrators may do that")).toBeTruthy();
});

it.each([
  ["active", "Active"],
  ["cooling", "Cooling"],
  ["invalid", "Invalid"],
  ["disabled", "Disabled"],
] as const)("a key that is %s is said to be %s in a word", async (status, word) => {
  await show(<StatusBadge status={status} />);
  expect(screen.getByText(word)).toBeTruthy();
});

it("a countdown ends with now", async () => {
  const { rerender } = await show(<Countdown to={Date.now() + 90_000} />);
  expect(screen.getByRole("time").textContent).toMatch(/^1m (29|30)s$/);
  rerender(<div />);
  await show(<Countdown to={Date.now() - 1_000} />);
  expect(screen.getByRole("time").textContent).toBe("now");
});

function question(more: Partial<Parameters<typeof ConfirmDialog>[0]>) {
  const onClose = vi.fn();
  const dialog = (
    <ConfirmDialog
      opened
      onClose={onClose}
      title="Delete 3 keys?"
      confirmLabel="Delete"
      onConfirm={async () => {}}
      {...more}
    >
      They are gone.
    </ConfirmDialog>
  );
  return { dialog, onClose };
}

it("a dialogue closes when what it asked about is done", async () => {
  const onConfirm = vi.fn(async () => {});
  const { dialog, onClose } = question({ onConfirm });
  const { user } = await show(dialog);
  await user.click(screen.getByRole("button", { name: "Delete" }));
  expect(onConfirm).toHaveBeenCalledOnce();
  await waitFor(() => expect(onClose).toHaveBeenCalledOnce());
});

it("a dialogue stays open when it failed, and says why", async () => {
  const onConfirm = async () => {
    throw new ApiError(409, "fixed", "the configuration states it");
  };
  const { dialog, onClose } = question({ onConfirm });
  const { user } = await show(dialog);
  await user.click(screen.getByRole("button", { name: "Delete" }));
  expect((await screen.findByRole("alert")).textContent).toContain("the configuration states it");
  expect(onClose).not.toHaveBeenCalled();
});

it("a dialogue that wants a word does nothing before the word is there", async () => {
  const { dialog } = question({ wordToType: "120" });
  const { user } = await show(dialog);
  const button = screen.getByRole("button", { name: "Delete" }) as HTMLButtonElement;
  expect(button.disabled).toBe(true);
  await user.type(screen.getByLabelText("Type 120 to confirm"), "120");
  expect(button.disabled).toBe(false);
});

it("a job is followed to its end, told once, and can be cancelled on the way", async () => {
  let looks = 0;
  const calls = answering(({ method }) => {
    if (method === "DELETE") return [204, null];
    looks += 1;
    return {
      id: 4,
      kind: "bulk_test",
      state: looks < 3 ? "running" : "cancelled",
      done: looks,
      total: 10,
      result: { works: looks },
      begun_at: "2026-11-20T13:00:00Z",
      ended_at: null,
    };
  });
  const onOver = vi.fn();
  const { user } = await show(
    <JobProgress id={4} title="Test" inWords={({ works }) => `${works} work`} onOver={onOver} />,
  );
  expect(await screen.findByText(/1 of 10 · 1 work/)).toBeTruthy();
  await user.click(screen.getByRole("button", { name: "Cancel" }));
  expect(calls.some(({ method, path }) => method === "DELETE" && path === "/api/jobs/4")).toBe(true);
  expect(await screen.findByText("Cancelled", {}, { timeout: 5_000 })).toBeTruthy();
  expect(onOver).toHaveBeenCalledOnce();
});

it("a job that nobody knows of any more is said to be over", async () => {
  answering(() => [404, { error: { code: "not_found", message: "there is no job 4" } }]);
  await show(<JobProgress id={4} title="Test" />);
  expect(await screen.findByText(/keymux was restarted meanwhile/)).toBeTruthy();
});

it("an error says what to do, and offers to try again", async () => {
  const onRetry = vi.fn();
  const { user } = await show(<ErrorState error={new ApiError(0, "unreachable", "fetch failed")} onRetry={onRetry} />);
  const alert = screen.getByRole("alert");
  expect(within(alert).getByRole("heading").textContent).toBe("keymux cannot be reached");
  await user.click(within(alert).getByRole("button", { name: "Try again" }));
  expect(onRetry).toHaveBeenCalledOnce();
});

it("an empty list teaches what would be in it", async () => {
  await show(<EmptyState title="No keys yet">A key is what a provider gives you.</EmptyState>);
  expect(screen.getByRole("heading", { name: "No keys yet" })).toBeTruthy();
});

it("code is shown in the language that is chosen, at the address that the browser sees", async () => {
  const home = new URL("https://gateway.example/ai/");
  const { user } = await show(<CodeSnippet snippets={snippetsOf({ home, model: "google/gemini-2.5-flash" })} />);
  expect(screen.getByRole("region", { name: "curl" }).textContent).toContain(
    "'https://gateway.example/ai/v1/chat/completions'",
  );
  await user.click(screen.getByRole("tab", { name: "Python" }));
  expect(screen.getByRole("region", { name: "Python" }).textContent).toContain(
    'base_url="https://gateway.example/ai/v1"',
  );
});

it("what somebody typed cannot leave its quotes in a shell", () => {
  const [curl] = snippetsOf({ home: new URL("http://x/"), model: "m", prompt: "it's $(date)" });
  expect(curl?.code).toContain(`it'\\''s $(date)`);
});
