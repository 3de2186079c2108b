"""What the OpenAI client from PyPI must find: base URL and model are the arguments."""

import json
import sys

import openai

base_url, model = sys.argv[1:]
client = openai.OpenAI(base_url=base_url, api_key="none", max_retries=0)


def ask(prompt, **options):
    messages = [{"role": "user", "content": prompt}]
    return client.chat.completions.create(model=model, messages=messages, temperature=0, **options)


def refusal(kind, **options):
    try:
        ask("Count to 5.", **options)
    except kind as error:
        return error.code
    raise AssertionError(f"{kind.__name__} was not raised")


assert model in [item.id.removesuffix(":latest") for item in client.models.list()]

answer = ask("Count to 5.")
assert answer.choices[0].message.content == "1, 2, 3, 4, 5", answer
assert answer.choices[0].finish_reason == "stop"

chunks = list(ask("Who are you?", stream=True, stream_options={"include_usage": True}))
text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
assert text == "I am a tiny test model.", text
assert chunks[-1].usage.completion_tokens > 0

with ask("Tell me a story.", stream=True) as stream:
    next(iter(stream))

city = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris"]}}, "required": ["city"]}
tool = {"type": "function", "function": {"name": "get_weather", "parameters": city}}
called = ask("What is the weather in Paris?", tools=[tool], tool_choice="required")
(call,) = called.choices[0].message.tool_calls
assert call.function.name == "get_weather"
assert json.loads(call.function.arguments) == {"city": "Paris"}

held = ask("Hello!", response_format={"type": "json_schema", "json_schema": {"name": "city", "schema": city}})
assert json.loads(held.choices[0].message.content) == {"city": "Paris"}

packed = client.embeddings.create(model=model, input=["a", "b"])
plain = client.embeddings.create(model=model, input=["a", "b"], encoding_format="float")
for one, other in zip(packed.data, plain.data, strict=True):
    assert max(abs(a - b) for a, b in zip(one.embedding, other.embedding, strict=True)) < 1e-6

assert client.completions.create(model=model, prompt="The", max_tokens=3).choices[0].text

assert refusal(openai.BadRequestError, top_p=7) == "invalid_request"
model = "ai/missing"
assert refusal(openai.NotFoundError) == "model_not_found"

print("everything held")
