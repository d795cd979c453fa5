-- title: Slowest first tokens
-- since: 24h
-- service: text; only calls of this service
-- model: text; only calls of this model
-- limit: integer = 50; so many calls, the slowest first
--
-- Which streamed calls waited longest for their first token, and which share of their time that was.
SELECT
    start_time,
    service,
    model,
    ttft_s,
    duration_s,
    CASE WHEN duration_ns > 0 THEN ttft_ns / (1.0 * duration_ns) END AS share_of_duration,
    input_tokens,
    cache_read_tokens,
    output_tokens,
    trace_id,
    span_id
FROM calls
WHERE ttft_ns IS NOT NULL
    AND start_time >= $since AND start_time < $until
    AND ($service IS NULL OR service = $service)
    AND ($model IS NULL OR model = $model)
ORDER BY ttft_ns DESC, span_id
LIMIT $limit
