"""What the tests of every SDK ask: one sentence, one function, one schema, one picture."""

from pydantic import BaseModel

SAY_HELLO = [{"role": "user", "content": "Say hello"}]
ASK_WEATHER = "How warm is it in Oslo?"
ASK_BOTH = "How warm is it in both Oslo and Bergen?"
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather in a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}
# A PNG of one pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJ"
    "RU5ErkJggg=="
)
PIXEL_BYTES = 70


class City(BaseModel):
    name: str
    is_capital: bool


def asked(text):
    return [{"role": "user", "content": text}]
