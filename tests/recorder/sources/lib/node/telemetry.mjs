// Traces as a service sends them: batched, over OTLP/HTTP, under the name `chat-api`.
import { OTLPTraceExporter } from "@opentelemetry/exporter-trace-otlp-proto";
import { defaultResource, resourceFromAttributes } from "@opentelemetry/resources";
import { BatchSpanProcessor, NodeTracerProvider } from "@opentelemetry/sdk-trace-node";

export const resource = defaultResource().merge(resourceFromAttributes({ "service.name": "chat-api", "service.version": "1.4.2", "deployment.environment.name": "corpus" }));

/** Makes the global tracer provider; where no processor is given, spans are batched and exported as they are. */
export function start(processors = [new BatchSpanProcessor(new OTLPTraceExporter())]) {
  const provider = new NodeTracerProvider({ resource, spanProcessors: processors });
  provider.register();
  return provider;
}
