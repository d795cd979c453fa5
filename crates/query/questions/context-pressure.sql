-- title: Context windows that fill up
-- since: 24h
-- service: text; only calls of this service
-- threshold: number = 0.8; calls that used at least this share of the window count as near the end
-- limit: integer = 100; so many rows, the fullest first
--
-- How full the context windows of models are, by service: the share that the input used of the window, where the window of the model is
-- known. `near_the_end` calls used most of it; `cut` are those of them whose answer ended at a limit of tokens.
SELECT
    service,
    provider,
    model,
    count(*) AS calls,
    avg(context_used) AS mean_used,
    approx_percentile_cont(0.95) WITHIN GROUP (ORDER BY context_used) AS p95_used,
    max(context_used) AS most_used,
    max(input_tokens) AS most_input_tokens,
    count(CASE WHEN context_used >= $threshold THEN 1 END) AS near_the_end,
    count(CASE WHEN context_used >= $threshold AND finish_reason = 'length' THEN 1 END) AS cut,
    last_value(trace_id ORDER BY context_used) AS fullest_trace
FROM calls
WHERE context_used IS NOT NULL
    AND start_time >= $since AND start_time < $until
    AND ($service IS NULL OR service = $service)
GROUP BY service, provider, model
ORDER BY most_used DESC, calls DESC
LIMIT $limit
