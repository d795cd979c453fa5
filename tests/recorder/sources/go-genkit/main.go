package main

import (
	"context"
	"os"

	"github.com/firebase/genkit/go/ai"
	"github.com/firebase/genkit/go/core/tracing"
	"github.com/firebase/genkit/go/genkit"
	"github.com/firebase/genkit/go/plugins/compat_oai/openai"
	"github.com/firebase/genkit/go/plugins/googlegenai"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/trace"
)

type weatherInput struct {
	Location string `json:"location"`
}

type searchInput struct {
	Query string `json:"query"`
}

func main() {
	ctx := context.Background()
	exporter, err := otlptracehttp.New(ctx)
	if err != nil {
		panic(err)
	}
	processor := trace.NewBatchSpanProcessor(exporter)
	tracing.TracerProvider().RegisterSpanProcessor(processor)
	tell(ask(ctx))
	if err := processor.Shutdown(ctx); err != nil {
		panic(err)
	}
}

func ask(ctx context.Context) error {
	model := "openai/gpt-4o"
	plugins := []genkit.GenkitOption{genkit.WithPlugins(&openai.OpenAI{APIKey: os.Getenv("OPENAI_API_KEY")}, &googlegenai.GoogleAI{})}
	if len(caseName) > 6 && caseName[:6] == "gemini" {
		model = "googleai/gemini-2.5-flash"
	}
	g := genkit.Init(ctx, plugins...)
	weather := genkit.DefineTool(g, "get_weather", "Get the current weather at a location.",
		func(_ *ai.ToolContext, input weatherInput) (string, error) { return getWeather(input.Location), nil })
	search := genkit.DefineTool(g, "search_docs", "Search the company's documents.",
		func(_ *ai.ToolContext, input searchInput) (string, error) { return searchDocs(input.Query), nil })
	answer := genkit.DefineFlow(g, "answer", func(ctx context.Context, question string) (string, error) {
		options := []ai.GenerateOption{ai.WithModelName(model), ai.WithSystem("You are helpful"), ai.WithPrompt(question)}
		if tools {
			options = append(options, ai.WithTools(weather, search), ai.WithMaxTurns(8))
		}
		if streamed {
			options = append(options, ai.WithStreaming(func(context.Context, *ai.ModelResponseChunk) error { return nil }))
		}
		response, err := genkit.Generate(ctx, g, options...)
		if err != nil {
			return "", err
		}
		return response.Text(), nil
	})
	for _, question := range questions() {
		if _, err := answer.Run(ctx, question); err != nil {
			return err
		}
	}
	return nil
}
