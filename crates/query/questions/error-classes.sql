-- title: Errors by class
-- since: 24h
-- service: text; only spans of this service
-- limit: integer = 100; so many rows, the most frequent first
--
-- Which GenAI operations failed, by class: rate_limit, timeout, server_error and so on. `example_trace` is the trace of the last one.
-- Spans that repeat a call are left out where they are known to.
SELECT
    coalesce(error_class, 'unknown') AS error_class,
    error_type,
    http_status,
    service,
    provider,
    coalesce(response_model, request_model) AS model,
    operation,
    count(*) AS errors,
    avg(duration_ns) / 1e9 AS mean_duration_s,
    min(start_time) AS first_seen,
    max(start_time) AS last_seen,
    last_value(trace_id ORDER BY start_time) AS example_trace
FROM spans
WHERE status = 'error' AND operation IS NOT NULL
    AND (usage_role IS NULL OR usage_role = 'owner')
    AND start_time >= $since AND start_time < $until
    AND ($service IS NULL OR service = $service)
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY errors DESC, last_seen DESC
LIMIT $limit
