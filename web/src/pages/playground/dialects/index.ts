// The dialects that the playground speaks.

import type { Dialect, Options } from "../chat";
import { gemini } from "./gemini";
import { openai } from "./openai";

export const dialects: Record<Options["dialect"], Dialect> = { openai, gemini };
