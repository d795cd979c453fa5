-- title: What differs from last week
-- since: 24h
-- service: text; only this service
-- factor: number = 1.5; changes by less than this factor are left out
-- least: integer = 20; services and models with fewer calls in both periods are left out
-- limit: integer = 100; so many rows, the greatest changes first
--
-- What differs from the same period a week ago, by service and model: calls, share of errors, cost, tokens a call, 95th percentile of
-- duration and of the first token of those that did not fail. Whole minutes count. `ratio` is now over before; null where there was nothing
-- before, or is nothing now. Costs in several currencies are not compared.
WITH both AS (
    SELECT FALSE AS past, * FROM usage_1m
    WHERE minute >= date_trunc('minute', $since) AND minute < $until
    UNION ALL
    SELECT TRUE AS past, * FROM usage_1m
    WHERE minute >= date_trunc('minute', $since - INTERVAL '7 days') AND minute < $until - INTERVAL '7 days'
),
sums AS (
    SELECT
        service,
        model,
        past,
        sum(calls) AS calls,
        sum(errors) / (1.0 * sum(calls)) AS errors,
        CASE WHEN min(cost_currency) IS NOT DISTINCT FROM max(cost_currency) THEN sum(cost_nano) / 1e9 END AS cost,
        (sum(input_tokens) + sum(output_tokens)) / nullif(1.0 * sum(CASE WHEN errors = 0 THEN calls END), 0) AS tokens,
        p95(CASE WHEN errors = 0 THEN duration_hist END) / 1e9 AS duration,
        p95(CASE WHEN errors = 0 THEN ttft_hist END) / 1e9 AS ttft
    FROM both
    WHERE model IS NOT NULL AND ($service IS NULL OR service = $service)
    GROUP BY service, model, past
),
pairs AS (
    SELECT
        service,
        model,
        max(CASE WHEN NOT past THEN calls END) AS calls_now,
        max(CASE WHEN past THEN calls END) AS calls_before,
        max(CASE WHEN NOT past THEN errors END) AS errors_now,
        max(CASE WHEN past THEN errors END) AS errors_before,
        max(CASE WHEN NOT past THEN cost END) AS cost_now,
        max(CASE WHEN past THEN cost END) AS cost_before,
        max(CASE WHEN NOT past THEN tokens END) AS tokens_now,
        max(CASE WHEN past THEN tokens END) AS tokens_before,
        max(CASE WHEN NOT past THEN duration END) AS duration_now,
        max(CASE WHEN past THEN duration END) AS duration_before,
        max(CASE WHEN NOT past THEN ttft END) AS ttft_now,
        max(CASE WHEN past THEN ttft END) AS ttft_before
    FROM sums
    GROUP BY service, model
    HAVING greatest(coalesce(max(CASE WHEN NOT past THEN calls END), 0), coalesce(max(CASE WHEN past THEN calls END), 0)) >= $least
),
facts AS (
    SELECT
        service,
        model,
        what,
        CASE what
            WHEN 'calls' THEN calls_now
            WHEN 'share of errors' THEN errors_now
            WHEN 'cost' THEN cost_now
            WHEN 'tokens a call' THEN tokens_now
            WHEN 'p95 of duration, s' THEN duration_now
            ELSE ttft_now
        END AS now,
        CASE what
            WHEN 'calls' THEN calls_before
            WHEN 'share of errors' THEN errors_before
            WHEN 'cost' THEN cost_before
            WHEN 'tokens a call' THEN tokens_before
            WHEN 'p95 of duration, s' THEN duration_before
            ELSE ttft_before
        END AS before
    FROM pairs CROSS JOIN (
        VALUES ('calls'), ('share of errors'), ('cost'), ('tokens a call'), ('p95 of duration, s'), ('p95 of first token, s')
    ) AS whats (what)
),
changes AS (
    SELECT *, now / nullif(before, 0) AS ratio FROM facts
    WHERE coalesce(now, 0) > 0 OR coalesce(before, 0) > 0
)
SELECT * FROM changes
WHERE ratio IS NULL OR ratio = 0 OR ratio >= greatest($factor, 1.0) OR ratio <= 1.0 / greatest($factor, 1.0)
ORDER BY CASE WHEN ratio > 0 THEN greatest(ratio, 1.0 / ratio) END DESC NULLS FIRST, service, model, what
LIMIT $limit
