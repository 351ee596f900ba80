"""Functions that models call through OpenAI's SDK, at every provider: whole, streamed, and two at once."""

import json

from asking import ASK_BOTH, ASK_WEATHER, WEATHER, asked


def ask(client, provider, messages, **options):
    answer = client.chat.completions.create(model=provider.chat, messages=messages, tools=[WEATHER], **options)
    return answer.choices[0]


def results(message, celsius=21):
    """The message that calls, and what the functions returned, as an application sends them back."""
    calls = message.tool_calls
    content = json.dumps({"celsius": celsius})
    return [
        message.model_dump(exclude_none=True),
        *({"role": "tool", "tool_call_id": call.id, "content": content} for call in calls),
    ]


def cities(calls):
    return [json.loads(call.function.arguments)["city"] for call in calls]


def test_a_function_is_called_and_its_result_used(client, provider):
    question = asked(ASK_WEATHER)
    called = ask(client, provider, question)
    assert called.finish_reason == "tool_calls"
    [call] = called.message.tool_calls
    assert call.type == "function" and call.id and call.function.name == "get_weather"
    assert cities([call]) == ["Oslo"]
    answered = ask(client, provider, question + results(called.message))
    assert answered.finish_reason == "stop"
    assert 'The function get_weather returned {"celsius":21}.' in answered.message.content


def test_two_functions_are_called_where_the_provider_can(client, provider):
    question = asked(ASK_BOTH)
    called = ask(client, provider, question)
    expected = ["Oslo", "Bergen"] if provider.calls_in_parallel else ["Bergen"]
    assert cities(called.message.tool_calls) == expected
    assert len({call.id for call in called.message.tool_calls}) == len(expected)
    answered = ask(client, provider, question + results(called.message))
    assert answered.message.content.count("The function get_weather returned") == len(expected)


def test_one_function_is_called_where_only_one_may_be(client, provider):
    called = ask(client, provider, asked(ASK_BOTH), parallel_tool_calls=False)
    assert cities(called.message.tool_calls) == ["Bergen"]


def test_no_function_is_called_where_none_may_be(client, provider):
    answer = ask(client, provider, asked(ASK_WEATHER), tool_choice="none")
    assert answer.finish_reason == "stop" and not answer.message.tool_calls
    assert answer.message.content == provider.said(ASK_WEATHER)


def test_a_function_that_is_named_is_called(client, provider):
    choice = {"type": "function", "function": {"name": "get_weather"}}
    called = ask(client, provider, asked("Good day, Oslo"), tool_choice=choice)
    assert cities(called.message.tool_calls) == ["Oslo"]


def test_calls_are_put_together_from_a_stream(client, provider):
    expected = ["Oslo", "Bergen"] if provider.calls_in_parallel else ["Bergen"]
    asking = {"model": provider.chat, "messages": asked(ASK_BOTH), "tools": [WEATHER]}
    with client.chat.completions.stream(**asking) as events:
        called = events.until_done().get_final_completion().choices[0]
    assert called.finish_reason == "tool_calls"
    assert cities(called.message.tool_calls) == expected
    assert [call.function.name for call in called.message.tool_calls] == ["get_weather"] * len(expected)
    answered = ask(client, provider, asked(ASK_BOTH) + results(called.message))
    assert "The function get_weather returned" in answered.message.content
