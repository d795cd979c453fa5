-- title: Tokens per second over time
-- since: 24h
-- service: text; only calls of this service
-- model: text; only calls of this model
-- bucket: width = 1h; width of the periods
-- limit: integer = 2000; so many rows
--
-- How fast each model writes, by period. `tokens_per_second` is over the whole time of the calls; `generation_tokens_per_second` is
-- over the time after the first token, of streamed calls only. Long calls weigh more than short ones in both.
SELECT
    time_bucket($bucket, start_time) AS time,
    provider,
    model,
    count(*) AS calls,
    sum(output_tokens) AS output_tokens,
    sum(output_tokens) / (sum(duration_ns) / 1e9) AS tokens_per_second,
    sum(CASE WHEN duration_ns > ttft_ns THEN output_tokens END)
        / (sum(CASE WHEN duration_ns > ttft_ns THEN duration_ns - ttft_ns END) / 1e9) AS generation_tokens_per_second
FROM calls
WHERE output_tokens > 0 AND duration_ns > 0
    AND start_time >= $since AND start_time < $until
    AND ($service IS NULL OR service = $service)
    AND ($model IS NULL OR model = $model)
GROUP BY 1, 2, 3
ORDER BY 1, 2, 3
LIMIT $limit
