import logfire
from driver import case, openai_agents_calls
from logfire._internal import config

# It would describe the machine that records.
config.common_resource_attributes = dict
# The exporter is the environment's.
logfire.configure(send_to_logfire=False, service_name="chat-api", console=False, metrics=False, inspect_arguments=False)
logfire.instrument_openai_agents()
case.run(openai_agents_calls.ask)
