-- title: Tool loops
-- since: 24h
-- service: text; only spans of this service
-- limit: integer = 50; so many traces, the longest loops first
--
-- In which traces the same tool was called again and again with the same arguments, which one most often, and what the whole trace cost, up to
-- a day before and after the period.
WITH loops AS (
    SELECT
        trace_id,
        min(start_time) AS start_time,
        first_value(service ORDER BY tool_name IS NULL, tool_loop_count DESC, start_time) AS service,
        first_value(agent_name ORDER BY agent_name IS NULL, tool_loop_count DESC, start_time) AS agent,
        first_value(tool_name ORDER BY tool_name IS NULL, tool_loop_count DESC, start_time) AS tool,
        max(tool_loop_count) AS repeats,
        count(*) AS spans
    FROM spans
    WHERE tool_loop_count IS NOT NULL
        AND start_time >= $since AND start_time < $until
        AND ($service IS NULL OR service = $service)
    GROUP BY trace_id
),
costs AS (
    SELECT
        trace_id,
        count(*) AS calls,
        sum(input_tokens) AS input_tokens,
        sum(output_tokens) AS output_tokens,
        -- Of two currencies there is no sum.
        CASE WHEN min(cost_currency) = max(cost_currency) THEN sum(cost_nano) / 1e9 END AS cost,
        CASE WHEN min(cost_currency) = max(cost_currency) THEN min(cost_currency) END AS currency
    FROM calls
    WHERE start_time >= $since - INTERVAL '1 day' AND start_time < $until + INTERVAL '1 day'
    GROUP BY trace_id
)
SELECT
    loops.start_time,
    loops.service,
    loops.agent,
    loops.tool,
    loops.repeats,
    loops.spans AS marked_spans,
    costs.calls,
    costs.input_tokens,
    costs.output_tokens,
    costs.cost,
    costs.currency,
    loops.trace_id
FROM loops LEFT JOIN costs ON costs.trace_id = loops.trace_id
ORDER BY repeats DESC, cost DESC NULLS LAST, loops.trace_id
LIMIT $limit
