from driver import case, telemetry

telemetry.start()

import litellm  # noqa: E402
from agento11y import Client, ClientConfig, GenerationExportConfig  # noqa: E402
from agento11y_litellm import Agento11yLiteLLMLogger  # noqa: E402
from driver import litellm_calls  # noqa: E402
from litellm.litellm_core_utils.thread_pool_executor import executor  # noqa: E402

client = Client(ClientConfig(generation_export=GenerationExportConfig(protocol="none")))
litellm.callbacks = [Agento11yLiteLLMLogger(client=client)]
case.run(litellm_calls.ask)
executor.shutdown(wait=True)    # where its callbacks run
client.shutdown()
telemetry.flush()
