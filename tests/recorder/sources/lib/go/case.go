package main

import (
	"fmt"
	"os"
	"strings"
)

// Which case is recorded.
var (
	caseName = os.Getenv("CASE")
	scenario = os.Getenv("SCENARIO")
	streamed = strings.Contains(caseName, "stream")
	tools    = strings.Contains(scenario, "tool")
	document = strings.Repeat("This is the contract between the landlord and the tenant. ", 40)
)

func questions() []string {
	switch {
	case scenario == "cache":
		return []string{"When does the contract end?", "What is the notice period?"}
	case tools:
		return []string{"What is the weather in Paris?"}
	default:
		return []string{"What is the capital of France?"}
	}
}

// tell lets the recorder know that the client failed, and how.
func tell(err error) {
	if err != nil {
		fmt.Printf("client exception: %T\n%v\n", err, err)
	}
}

// The tools that the models are offered.
func getWeather(location string) string { return "18 degrees and sunny in " + location }

func searchDocs(query string) string { return "Nothing found for " + query }
