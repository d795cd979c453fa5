-- title: What caching saved, and what it could have
-- since: 24h
-- service: text; only calls of this service
-- limit: integer = 100; so many models, those first that could have saved most
--
-- Prices are not looked up: they are read off what was paid. The price of a fresh input token is what fits the cost of the period's calls
-- that touched no cache best (least squares over input and output tokens, which is exact where prices are linear). Where these calls do
-- not tell, it is the cost of the period over all its tokens, input and output alike, and `price_is_exact` is false.
--
-- `saved` is what the calls that read from a cache would have cost with all input fresh, less what they did cost; what writing to the
-- cache cost more than fresh input is in it, so that it may be negative. `could_save` is what the input tokens of the period that
-- neither came from a cache nor went into one would save at the same discount a token, or at half their price where nothing was cached yet.
-- Prompts that never come again cannot be cached: it is an upper bound.
WITH priced AS (
    SELECT
        provider,
        model,
        cost_currency AS currency,
        CAST(input_tokens AS DOUBLE) AS input,
        CAST(coalesce(output_tokens, 0) AS DOUBLE) AS output,
        CAST(coalesce(cache_read_tokens, 0) AS DOUBLE) AS cached,
        CAST(coalesce(cache_creation_tokens, 0) AS DOUBLE) AS created,
        CAST(cost_nano AS DOUBLE) AS cost
    FROM calls
    WHERE input_tokens > 0 AND cost_nano IS NOT NULL
        AND start_time >= $since AND start_time < $until
        AND ($service IS NULL OR service = $service)
),
sums AS (
    SELECT
        provider,
        model,
        currency,
        count(*) AS calls,
        sum(input) AS input,
        sum(output) AS output,
        sum(cached) AS cached,
        sum(created) AS created,
        sum(cost) AS cost,
        sum(CASE WHEN cached + created > 0 THEN input END) AS cached_input,
        sum(CASE WHEN cached + created > 0 THEN output END) AS cached_output,
        sum(CASE WHEN cached + created > 0 THEN cost END) AS cached_cost,
        sum(CASE WHEN cached + created = 0 THEN input * input END) AS ii,
        sum(CASE WHEN cached + created = 0 THEN input * output END) AS io,
        sum(CASE WHEN cached + created = 0 THEN output * output END) AS oo,
        sum(CASE WHEN cached + created = 0 THEN input * cost END) AS ic,
        sum(CASE WHEN cached + created = 0 THEN output * cost END) AS oc
    FROM priced
    GROUP BY provider, model, currency
),
fitted AS (
    SELECT
        *,
        CASE WHEN ii * oo - io * io > 1e-6 * ii * oo THEN (ic * oo - oc * io) / (ii * oo - io * io) END AS fitted_input,
        CASE WHEN ii * oo - io * io > 1e-6 * ii * oo THEN (oc * ii - ic * io) / (ii * oo - io * io) END AS fitted_output
    FROM sums
),
prices AS (
    SELECT
        *,
        fitted_input > 0 AND fitted_output >= 0 AS price_is_exact,
        CASE WHEN fitted_input > 0 AND fitted_output >= 0 THEN fitted_input ELSE cost / (input + output) END AS price,
        CASE WHEN fitted_input > 0 AND fitted_output >= 0 THEN fitted_output ELSE cost / (input + output) END AS output_price
    FROM fitted
),
savings AS (
    SELECT *, coalesce(cached_input * price + cached_output * output_price - cached_cost, 0) AS saved FROM prices
)
SELECT
    provider,
    model,
    calls,
    CAST(input AS BIGINT) AS input_tokens,
    CAST(cached AS BIGINT) AS cache_read_tokens,
    cached / input AS cached_share,
    price / 1e3 AS price_per_million,
    coalesce(price_is_exact, FALSE) AS price_is_exact,
    cost / 1e9 AS cost,
    saved / 1e9 AS saved,
    (input - cached - created) * CASE WHEN cached > 0 THEN greatest(saved / cached, 0) ELSE price / 2 END / 1e9 AS could_save,
    currency
FROM savings
ORDER BY could_save DESC, model
LIMIT $limit
