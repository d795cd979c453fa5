-- title: Tool loops
-- since: 24h
-- service: text; only spans of this service
-- limit: integer = 50; so many traces, the longest loops first
--
-- In which traces the same tool was called again and again with the same arguments, how often, and what the whole trace cost.
WITH loops AS (
    SELECT
        trace_id,
        min(start_time) AS start_time,
        max(service) AS service,
        max(agent_name) AS agent,
        max(tool_name) AS tool,
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
        sum(cost_nano) / 1e9 AS cost
    FROM calls
    WHERE start_time >= $since AND start_time < $until
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
    loops.trace_id
FROM loops LEFT JOIN costs ON costs.trace_id = loops.trace_id
ORDER BY repeats DESC, cost DESC NULLS LAST, loops.trace_id
LIMIT $limit
