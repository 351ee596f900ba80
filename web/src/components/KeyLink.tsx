// A provider's key by its name: a link to it for those who may look at it, else the name only. Members may see their own.

import { Anchor } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { api, ask } from "@/api/client";
import { useIsAdmin } from "@/session/session";

type KeyLinkProps = { id: number; name?: string | null | undefined };

export function KeyLink({ id, name }: KeyLinkProps) {
  const isAdmin = useIsAdmin();
  const { data: own } = useQuery({
    queryKey: ["keys", "own"],
    queryFn: ownKeys,
    staleTime: 60_000,
    enabled: !isAdmin,
  });
  const text = name ?? `#${id}`;
  if (!isAdmin && !own?.has(id)) return text;
  return (
    <Anchor component={Link} to={`/keys?key=${id}`} inherit underline="always">
      {text}
    </Anchor>
  );
}

async function ownKeys() {
  const { items } = await ask(api.GET("/api/keys", { params: { query: { limit: 500 } } }));
  return new Set(items.map(({ id }) => id));
}
