"""What differs between the providers behind OpenAI's dialect: names, models, and what their models can do.

A test is written once and runs for each of them.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Provider:
    """One provider of a keymux. `stand_in` is fake-upstream's name for it."""

    name: str
    kind: str
    stand_in: str
    # Models as callers name them.
    chat: str
    embedder: str
    dimensions: int
    # A provider key, as the stand-in sees it.
    key: str
    # What it adds to the text of an answer: marks of the search results.
    marks: str = ""
    calls_in_parallel: bool = True
    # Its embedding models are in its list.
    lists_embedders: bool = True
    # Where it is asked for chats, and how many events of a stream it takes to be in mid-text.
    path: str = "chat/completions"
    events_to_text: int = 3

    def __str__(self):
        return self.name

    def said(self, text):
        return f"You said: {text}{self.marks}"

    def config(self, upstreams, *keys):
        """Its entry in keymux.yaml, with these keys in the order in which they are tried."""
        keys = [{"key": key, "priority": place} for place, key in enumerate(keys)]
        config = {"kind": self.kind, "base_url": upstreams.urls[self.stand_in], "keys": keys}
        if self.kind == "gigachat":
            config["token_url"] = f"{upstreams['gigachat'].url}/api/v2/oauth"
            config["ca_file"] = str(upstreams.ca_file)
        return config


GOOGLE = Provider(
    "google", "gemini", "gemini", "google/gemini-3.8-flash", "google/gemini-embedding-001", 3072, "AIza-pool-0"
)
XAI = Provider("xai", "openai", "xai", "xai/grok-4.7", "xai/grok-embedding-1", 1024, "xai-pool-0")
PERPLEXITY = Provider(
    "perplexity",
    "perplexity",
    "perplexity",
    "perplexity/sonar",
    "perplexity/pplx-embed-v1-0.6b",
    1024,
    "pplx-pool-0",
    marks="[1][2]",
    lists_embedders=False,
    path="/responses",
    events_to_text=8,
)
GIGACHAT = Provider(
    "gigachat",
    "gigachat",
    "gigachat",
    "gigachat/GigaChat-2-Pro",
    "gigachat/Embeddings",
    1024,
    # The authorization key is Base64 of id and secret.
    "Z2lnYTpwb29sLTA=",
    calls_in_parallel=False,
)
LOCAL = Provider(
    "local", "openai", "openai", "local/gpt-6-luna", "local/text-embedding-3-small", 1536, "sk-local-pool-0"
)
PROVIDERS = [GOOGLE, XAI, PERPLEXITY, GIGACHAT, LOCAL]
