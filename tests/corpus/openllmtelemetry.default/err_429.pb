
Ë'
á
7
service.name'
%openllmtelemetry-instrumented-service

application.name

chat-api

version
0.0.8

resource.id	
model-1€&
9
*openllmtelemetry.instrumentation.openai.v10.10.2.dev5â
9ÉJ‹À=p,0MA¡˘ÀGåäí„]N€•"8!U%VJ	‰*openai.chat09Ù°7ïÏAA‹(ïÏJ
llm.request.type
chatJ
	span.type

completionJ,
llm.base_url
https://api.openai.com/v1/J"
openai.client.version	
1.109.1J

llm.vendor
OpenAIJ
llm.request.model
gpt-4oJ
llm.temperature	!öôôôôô…?J
	llm.top_p	!ÕÃÃÃÃÃÏ?J
llm.headers
NoneJ
llm.streaming
NoneZœ	{€(ïÏ	exception"
exception.type
RateLimitErrorÀ
exception.messageµ
≤Error code: 429 - {'error': {'message': 'Rate limit reached for requests. Please try again in 20s.', 'type': 'rate_limit_exceeded', 'param': None, 'code': 'rate_limit_exceeded'}}®
exception.stacktraceè
åTraceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/opentelemetry/trace/__init__.py", line 573, in use_span
    yield span
  File "/srv/venv/lib/python3.11/site-packages/opentelemetry/sdk/trace/__init__.py", line 1046, in start_as_current_span
    yield span_context
  File "/srv/venv/lib/python3.11/site-packages/openllmtelemetry/guardrails/handlers.py", line 105, in sync_wrapper
    response, is_streaming = llm_caller(span)
                             ^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openllmtelemetry/instrumentation/openai/shared/chat_wrappers.py", line 107, in call_llm
    r = wrapped(*args, **kwargs)
        ^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/_utils/_utils.py", line 286, in wrapper
    return func(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/resources/chat/completions/completions.py", line 1147, in create
    return self._post(
           ^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/_base_client.py", line 1259, in post
    return cast(ResponseT, self.request(cast_to, opts, stream=stream, stream_cls=stream_cls))
                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/_base_client.py", line 1047, in request
    raise self._make_status_error_from_response(err.response) from None
openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for requests. Please try again in 20s.', 'type': 'rate_limit_exceeded', 'param': None, 'code': 'rate_limit_exceeded'}}

exception.escaped
Falsez«¬RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for requests. Please try again in 20s.', 'type': 'rate_limit_exceeded', 'param': None, 'code': 'rate_limit_exceeded'}}ë
9ÉJ‹À=p,0MA¡˘ÀGå8!U%VJ	‰*interaction09Eß6ïÏA‹÷‚(ïÏJ
llm.request.type
chatJ
	span.type
interactionZœ	 ≤‚(ïÏ	exception"
exception.type
RateLimitErrorÀ
exception.messageµ
≤Error code: 429 - {'error': {'message': 'Rate limit reached for requests. Please try again in 20s.', 'type': 'rate_limit_exceeded', 'param': None, 'code': 'rate_limit_exceeded'}}®
exception.stacktraceè
åTraceback (most recent call last):
  File "/srv/venv/lib/python3.11/site-packages/opentelemetry/trace/__init__.py", line 573, in use_span
    yield span
  File "/srv/venv/lib/python3.11/site-packages/opentelemetry/sdk/trace/__init__.py", line 1046, in start_as_current_span
    yield span_context
  File "/srv/venv/lib/python3.11/site-packages/openllmtelemetry/guardrails/handlers.py", line 105, in sync_wrapper
    response, is_streaming = llm_caller(span)
                             ^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openllmtelemetry/instrumentation/openai/shared/chat_wrappers.py", line 107, in call_llm
    r = wrapped(*args, **kwargs)
        ^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/_utils/_utils.py", line 286, in wrapper
    return func(*args, **kwargs)
           ^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/resources/chat/completions/completions.py", line 1147, in create
    return self._post(
           ^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/_base_client.py", line 1259, in post
    return cast(ResponseT, self.request(cast_to, opts, stream=stream, stream_cls=stream_cls))
                           ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
  File "/srv/venv/lib/python3.11/site-packages/openai/_base_client.py", line 1047, in request
    raise self._make_status_error_from_response(err.response) from None
openai.RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for requests. Please try again in 20s.', 'type': 'rate_limit_exceeded', 'param': None, 'code': 'rate_limit_exceeded'}}

exception.escaped
Falsez«¬RateLimitError: Error code: 429 - {'error': {'message': 'Rate limit reached for requests. Please try again in 20s.', 'type': 'rate_limit_exceeded', 'param': None, 'code': 'rate_limit_exceeded'}}