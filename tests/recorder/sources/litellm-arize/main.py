import os
import time

os.environ |= {"PHOENIX_COLLECTOR_HTTP_ENDPOINT": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"] + "/v1/traces", "PHOENIX_API_KEY": "test"}

import litellm  # noqa: E402
from driver import case, litellm_calls  # noqa: E402

litellm.callbacks = ["arize_phoenix"]
case.run(litellm_calls.ask)
time.sleep(6)    # its callbacks run in a thread, its spans leave in batches
