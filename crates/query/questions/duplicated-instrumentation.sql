-- title: Calls that two instrumentations tell about
-- since: 24h
-- service: text; only spans of this service
-- limit: integer = 100; so many rows, the most duplicates first
--
-- Which services trace the same calls twice, with which instrumentation beside which. Duplicates are not counted in costs and tokens;
-- they only take space and time, and one of the two instrumentations can go. `tokens` is what would have been counted again.
WITH duplicates AS (
    SELECT
        service,
        source,
        scope_name,
        count(*) AS duplicates,
        sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) AS tokens,
        last_value(trace_id ORDER BY start_time) AS example_trace
    FROM spans
    WHERE usage_role = 'duplicate'
        AND start_time >= $since AND start_time < $until
        AND ($service IS NULL OR service = $service)
    GROUP BY service, source, scope_name
),
owners AS (
    SELECT service, count(*) AS calls, string_agg(DISTINCT source, ', ' ORDER BY source) AS sources
    FROM spans
    WHERE usage_role = 'owner'
        AND start_time >= $since AND start_time < $until
    GROUP BY service
)
SELECT
    duplicates.service,
    duplicates.source AS duplicated_by,
    duplicates.scope_name AS scope,
    owners.sources AS counted_by,
    duplicates.duplicates,
    owners.calls,
    duplicates.duplicates / (1.0 * owners.calls) AS share_of_calls,
    duplicates.tokens,
    duplicates.example_trace
FROM duplicates LEFT JOIN owners ON owners.service IS NOT DISTINCT FROM duplicates.service
ORDER BY duplicates.duplicates DESC, duplicates.service
LIMIT $limit
