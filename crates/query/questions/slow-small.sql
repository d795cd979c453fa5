-- title: Slow although small
-- since: 24h
-- service: text; only calls of this service
-- model: text; only calls of this model
-- limit: integer = 50; so many calls, the slowest first
--
-- Which calls took long although they were small, and where the time went. `cause` is slow_start where the first token took most of
-- the time, slow_finish where the rest did, tool_loop after the same tool call over and over, and unknown where the answer was not
-- streamed. What counts as slow and small is configured in the processor `genai`.
SELECT
    start_time,
    service,
    model,
    duration_s,
    ttft_s,
    input_tokens,
    output_tokens,
    finish_reason,
    slow_small_cause AS cause,
    trace_id,
    span_id
FROM calls
WHERE slow_small
    AND start_time >= $since AND start_time < $until
    AND ($service IS NULL OR service = $service)
    AND ($model IS NULL OR model = $model)
ORDER BY duration_ns DESC, span_id
LIMIT $limit
