-- title: Percentiles of duration and first token
-- since: 24h
-- service: text; only calls of this service
-- limit: integer = 100; so many models, the most calls first
--
-- p50, p95 and p99 of how long calls took and of how long their first token took, in seconds, by model. Calls that failed are left out.
-- They come from histograms of whole minutes, within 4.4 % of them, and stay cheap over months; first tokens are those of streamed calls.
SELECT
    provider,
    model,
    sum(calls) AS calls,
    p50(duration_hist) / 1e9 AS duration_p50_s,
    p95(duration_hist) / 1e9 AS duration_p95_s,
    p99(duration_hist) / 1e9 AS duration_p99_s,
    p50(ttft_hist) / 1e9 AS ttft_p50_s,
    p95(ttft_hist) / 1e9 AS ttft_p95_s,
    p99(ttft_hist) / 1e9 AS ttft_p99_s
FROM usage_1m
WHERE model IS NOT NULL AND errors = 0
    AND minute >= date_trunc('minute', $since) AND minute < $until
    AND ($service IS NULL OR service = $service)
GROUP BY provider, model
ORDER BY calls DESC, model
LIMIT $limit
