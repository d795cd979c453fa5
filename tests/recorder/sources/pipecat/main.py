import asyncio

from driver import case, telemetry

telemetry.start()

from driver import weather  # noqa: E402
from pipecat.frames.frames import EndFrame, LLMContextFrame  # noqa: E402
from pipecat.pipeline.pipeline import Pipeline  # noqa: E402
from pipecat.pipeline.runner import PipelineRunner  # noqa: E402
from pipecat.pipeline.task import PipelineParams, PipelineTask  # noqa: E402
from pipecat.processors.aggregators.llm_context import LLMContext  # noqa: E402
from pipecat.services.anthropic.llm import AnthropicLLMService  # noqa: E402
from pipecat.services.openai.llm import OpenAILLMService  # noqa: E402


def service():
    if case.CASE.startswith("anthropic"):
        return AnthropicLLMService(api_key="test", settings=AnthropicLLMService.Settings(model="claude-sonnet-4-5", enable_prompt_caching=True))
    return OpenAILLMService(api_key="test", settings=OpenAILLMService.Settings(model="gpt-4o", temperature=0.2))


async def ask():
    for _ in range(2 if case.SCENARIO == "cache" else 1):
        context = LLMContext([{"role": "system", "content": "You are helpful"}, {"role": "user", "content": case.QUESTION}])
        params = PipelineParams(enable_metrics=True, enable_usage_metrics=True)
        task = PipelineTask(Pipeline([service()]), params=params, enable_tracing=True, conversation_id="sess-7")
        await task.queue_frames([LLMContextFrame(context), EndFrame()])
        await PipelineRunner(handle_sigint=False).run(task)


case.run(ask)
