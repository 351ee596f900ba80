// Long operations: begun by a call that answers 202, looked after until they end.

import { useMutation, useQuery } from "@tanstack/react-query";
import { api, ask, type Schema } from "./client";
import { ApiError } from "./error";

export type Job = Schema<"JobView">;

const lookEvery = 700;

/** Whether an answer is a job that goes on, and not the result already. */
export function isJob(answer: object): answer is Job {
  return "state" in answer && "kind" in answer && "id" in answer;
}

export function isOver(job: Job): boolean {
  return job.state === "done" || job.state === "failed" || job.state === "cancelled";
}

/** The counts of a job, for example `{ done: 90, skipped: 10 }`, and perhaps what went wrong. */
export function resultOf(job: Job): { [count: string]: number | string | undefined } {
  return (job.result ?? {}) as { [count: string]: number | string | undefined };
}

/** Follows a job; null: there is none. */
export function useJob(id: number | null) {
  const found = useQuery({
    queryKey: ["job", id],
    queryFn: ({ signal }) => ask(api.GET("/api/jobs/{id}", { params: { path: { id: id ?? 0 } }, signal })),
    enabled: id !== null,
    refetchInterval: ({ state }) => (state.data && isOver(state.data) ? false : lookEvery),
    staleTime: 0,
  });
  const cancel = useMutation({
    mutationFn: () => ask(api.DELETE("/api/jobs/{id}", { params: { path: { id: id ?? 0 } } })),
    onSettled: () => found.refetch(),
  });
  return {
    job: found.data,
    /** Jobs live in memory: after a restart nobody knows of it any more. */
    isLost: found.error instanceof ApiError && found.error.status === 404,
    cancel: () => cancel.mutate(),
    isCancelling: cancel.isPending || cancel.isSuccess,
  };
}
