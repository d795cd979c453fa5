import os
import time

os.environ |= {"LANGFUSE_PUBLIC_KEY": "pk-test", "LANGFUSE_SECRET_KEY": "sk-test", "LANGFUSE_OTEL_HOST": os.environ["OTEL_EXPORTER_OTLP_ENDPOINT"]}

import litellm  # noqa: E402
from driver import case, litellm_calls  # noqa: E402

litellm.callbacks = ["langfuse_otel"]
case.run(litellm_calls.ask)
time.sleep(6)    # its callbacks run in a thread, its spans leave in batches
