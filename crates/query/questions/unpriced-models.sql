-- title: Models without a price
-- since: 7d
-- service: text; only calls of this service
-- limit: integer = 100; so many models, the most tokens first
--
-- Which models are called and have no price, so that their cost is unknown. The option pricing of the processor genai takes prices. Whole
-- minutes count.
WITH models AS (
    SELECT
        provider,
        model,
        sum(unpriced) AS calls,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        count(DISTINCT service) AS services,
        max(service) AS a_service,
        max(minute) AS last_minute
    FROM usage_1m
    WHERE unpriced > 0
        AND minute >= date_trunc('minute', $since) AND minute < $until
        AND ($service IS NULL OR service = $service)
    GROUP BY provider, model
)
SELECT * FROM models
ORDER BY input_tokens + output_tokens DESC, model
LIMIT $limit
