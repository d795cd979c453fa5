-- title: Cost by user
-- since: 24h
-- service: text; only calls of this service
-- limit: integer = 100; so many users, the most expensive first
--
-- What the calls of each user cost, by the attribute user.id of spans or resources. Those without one stand together. Calls that failed
-- before there was any usage are not counted: nobody paid for them. Calls without a price stand under the currency that the store has.
WITH known AS (
    SELECT max(cost_currency) AS currency FROM calls
    WHERE start_time >= $since AND start_time < $until
        AND ($service IS NULL OR service = $service)
),
sessions AS (
    -- Sessions are summed up first: to count different ones for each user would take gigabytes where there are many users.
    SELECT
        user_id,
        coalesce(cost_currency, known.currency) AS currency,
        session_id,
        count(*) AS calls,
        count(*) - count(cost_nano) AS unpriced,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        sum(cost_nano) AS cost_nano,
        max(start_time) AS last_call
    FROM calls CROSS JOIN known
    WHERE start_time >= $since AND start_time < $until
        AND ($service IS NULL OR service = $service)
    GROUP BY 1, 2, 3
),
costs AS (
    SELECT
        user_id,
        sum(calls) AS calls,
        sum(unpriced) AS unpriced,
        count(session_id) AS sessions,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        coalesce(sum(cost_nano), 0) / 1e9 AS cost,
        currency,
        max(last_call) AS last_call
    FROM sessions
    GROUP BY user_id, currency
)
SELECT *, cost / nullif(sum(cost) OVER (PARTITION BY currency), 0) AS share
FROM costs
ORDER BY cost DESC, calls DESC, user_id
LIMIT $limit
