package main

import (
	"context"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	"go.opentelemetry.io/otel/sdk/trace"
)

// startTelemetry sends traces as a service does: batched, over OTLP/HTTP, under the name chat-api.
func startTelemetry(ctx context.Context) *trace.TracerProvider {
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		panic(err)
	}
	described, err := resource.New(ctx, resource.WithTelemetrySDK(), resource.WithAttributes(
		attribute.String("service.name", "chat-api"),
		attribute.String("service.version", "1.4.2"),
		attribute.String("deployment.environment.name", "corpus"),
	))
	if err != nil {
		panic(err)
	}
	provider := trace.NewTracerProvider(trace.WithBatcher(exporter), trace.WithResource(described))
	otel.SetTracerProvider(provider)
	return provider
}
