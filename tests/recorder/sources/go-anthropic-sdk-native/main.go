package main

import (
	"context"
	"encoding/json"

	"github.com/anthropics/anthropic-sdk-go/v2"
	"github.com/anthropics/anthropic-sdk-go/v2/option"
)

func main() {
	ctx := context.Background()
	provider := startTelemetry(ctx)
	client := anthropic.NewClient(option.WithMaxRetries(0))
	for _, question := range questions() {
		if err := talk(ctx, client, question); err != nil {
			tell(err)
			break
		}
	}
	if err := provider.Shutdown(ctx); err != nil {
		panic(err)
	}
}

func talk(ctx context.Context, client anthropic.Client, question string) error {
	messages := []anthropic.MessageParam{anthropic.NewUserMessage(anthropic.NewTextBlock(question))}
	for {
		answer, err := ask(ctx, client, request(messages))
		if err != nil {
			return err
		}
		var results []anthropic.ContentBlockParamUnion
		for _, block := range answer.Content {
			if use, ok := block.AsAny().(anthropic.ToolUseBlock); ok {
				results = append(results, anthropic.NewToolResultBlock(use.ID, call(use.Name, use.Input), false))
			}
		}
		if len(results) == 0 {
			return nil
		}
		messages = append(messages, answer.ToParam(), anthropic.NewUserMessage(results...))
	}
}

func ask(ctx context.Context, client anthropic.Client, wanted anthropic.MessageNewParams) (*anthropic.Message, error) {
	if !streamed {
		return client.Messages.New(ctx, wanted)
	}
	stream := client.Messages.NewStreaming(ctx, wanted)
	message := anthropic.Message{}
	for stream.Next() {
		if err := message.Accumulate(stream.Current()); err != nil {
			return nil, err
		}
	}
	return &message, stream.Err()
}

func request(messages []anthropic.MessageParam) anthropic.MessageNewParams {
	system := anthropic.TextBlockParam{Text: "You are helpful"}
	if scenario == "cache" {
		system = anthropic.TextBlockParam{Text: document, CacheControl: anthropic.NewCacheControlEphemeralParam()}
	}
	wanted := anthropic.MessageNewParams{
		Model:     "claude-sonnet-4-5",
		MaxTokens: 2048,
		System:    []anthropic.TextBlockParam{system},
		Messages:  messages,
	}
	if scenario == "reasoning" {
		wanted.Thinking = anthropic.ThinkingConfigParamOfEnabled(1024)
	}
	if tools {
		wanted.Tools = []anthropic.ToolUnionParam{
			offered("get_weather", "Get the current weather at a location.", "location"),
			offered("search_docs", "Search the company's documents.", "query"),
		}
	}
	return wanted
}

func offered(name, description, argument string) anthropic.ToolUnionParam {
	schema := anthropic.ToolInputSchemaParam{Properties: map[string]any{argument: map[string]string{"type": "string"}}, Required: []string{argument}}
	return anthropic.ToolUnionParam{OfTool: &anthropic.ToolParam{Name: name, Description: anthropic.String(description), InputSchema: schema}}
}

func call(name string, input json.RawMessage) string {
	var arguments struct{ Location, Query string }
	if err := json.Unmarshal(input, &arguments); err != nil {
		return err.Error()
	}
	if name == "get_weather" {
		return getWeather(arguments.Location)
	}
	return searchDocs(arguments.Query)
}
