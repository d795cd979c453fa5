-- title: Cost by model
-- since: 24h
-- service: text; only calls of this service
-- limit: integer = 100; so many rows, the most expensive first
--
-- What calls of each model cost, how many there were, their tokens, and which share of the bill they are.
-- Whole minutes count. Calls without a price have no currency of their own: they stand under the one that the store has.
WITH sums AS (
    SELECT
        provider,
        model,
        cost_currency,
        sum(calls) AS calls,
        sum(errors) AS errors,
        sum(unpriced) AS unpriced,
        sum(input_tokens) AS input_tokens,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(output_tokens) AS output_tokens,
        sum(cost_nano) AS cost_nano
    FROM usage_1m
    WHERE minute >= date_trunc('minute', $since) AND minute < $until
        AND ($service IS NULL OR service = $service)
        AND model IS NOT NULL
    GROUP BY provider, model, cost_currency
),
filled AS (
    SELECT *, coalesce(cost_currency, max(cost_currency) OVER ()) AS currency FROM sums
),
costs AS (
    SELECT
        provider,
        model,
        sum(calls) AS calls,
        sum(errors) AS errors,
        sum(unpriced) AS unpriced,
        sum(input_tokens) AS input_tokens,
        sum(cache_read_tokens) AS cache_read_tokens,
        sum(output_tokens) AS output_tokens,
        sum(cost_nano) / 1e9 AS cost,
        currency
    FROM filled
    GROUP BY provider, model, currency
)
SELECT *, cost / nullif(sum(cost) OVER (PARTITION BY currency), 0) AS share
FROM costs
ORDER BY cost DESC, calls DESC, provider, model
LIMIT $limit
