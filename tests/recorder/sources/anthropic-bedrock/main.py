import anthropic
from driver import anthropic_calls, case, telemetry

telemetry.start()
case.run(lambda: anthropic_calls.ask(anthropic.AnthropicBedrock, anthropic.AsyncAnthropicBedrock,
                                     "anthropic.claude-sonnet-4-5-20250929-v1:0", aws_region="us-east-1"))
