-- One row a trace. Tokens and cost are those of the spans that own them; where they were paid for in several currencies there is no cost.
SELECT *, cost_nano / 1e9 AS cost
FROM (
    SELECT
        trace_id,
        min(start_time) AS start_time,
        max(start_unix_nano + duration_ns) - min(start_unix_nano) AS duration_ns,
        count(*) AS spans,
        max(CASE WHEN parent_span_id IS NULL THEN name END) AS root_name,
        coalesce(max(CASE WHEN parent_span_id IS NULL THEN service END), min(service)) AS service,
        max(tenant) AS tenant,
        max(user_id) AS user_id,
        max(session_id) AS session_id,
        count(CASE WHEN usage_role = 'owner' THEN 1 END) AS calls,
        count(CASE WHEN status = 'error' AND (usage_role IS NULL OR usage_role = 'owner') THEN 1 END) AS errors,
        sum(CASE WHEN usage_role = 'owner' THEN input_tokens END) AS input_tokens,
        sum(CASE WHEN usage_role = 'owner' THEN output_tokens END) AS output_tokens,
        CASE WHEN min(CASE WHEN usage_role = 'owner' THEN cost_currency END) IS NOT DISTINCT FROM max(CASE WHEN usage_role = 'owner' THEN cost_currency END)
            THEN sum(CASE WHEN usage_role = 'owner' THEN cost_nano END) END AS cost_nano,
        CASE WHEN min(CASE WHEN usage_role = 'owner' THEN cost_currency END) = max(CASE WHEN usage_role = 'owner' THEN cost_currency END)
            THEN min(CASE WHEN usage_role = 'owner' THEN cost_currency END) END AS cost_currency,
        count(CASE WHEN slow_small THEN 1 END) AS slow_small,
        count(tool_loop_count) AS tool_loops
    FROM spans
    GROUP BY trace_id
)
