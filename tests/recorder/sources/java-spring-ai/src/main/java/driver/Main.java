package driver;

import java.util.List;
import org.springframework.ai.chat.client.ChatClient;
import org.springframework.ai.embedding.EmbeddingModel;
import org.springframework.ai.openai.OpenAiChatOptions;
import org.springframework.ai.tool.annotation.Tool;
import org.springframework.boot.CommandLineRunner;
import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;
import org.springframework.context.annotation.Bean;

/** Spring AI's chat client as applications use it; the context's end exports what is left. */
@SpringBootApplication
public class Main {
    static final String CASE = System.getenv("CASE");
    static final String SCENARIO = System.getenv("SCENARIO");

    public static void main(String[] args) {
        System.exit(SpringApplication.exit(SpringApplication.run(Main.class, args)));
    }

    @Bean
    CommandLineRunner ask(ChatClient.Builder builder, EmbeddingModel embeddings) {
        return args -> {
            try {
                if (CASE.startsWith("embeddings")) {
                    embeddings.embed("a text");
                    return;
                }
                for (String question : questions()) talk(builder.build(), question);
            } catch (RuntimeException error) {
                System.out.println("client exception: " + error.getClass().getName() + "\n" + error.getMessage());
            }
        };
    }

    static List<String> questions() {
        if (SCENARIO.equals("cache")) {
            String document = "This is the contract between the landlord and the tenant. ".repeat(40);
            return List.of(document + "When does it end?", document + "What is the notice period?");
        }
        return List.of(SCENARIO.contains("tool") ? "What is the weather in Paris?" : "What is the capital of France?");
    }

    static void talk(ChatClient client, String question) {
        var prompt = client.prompt().system("You are helpful").user(question);
        if (SCENARIO.contains("tool")) prompt = prompt.tools(new Tools());
        if (SCENARIO.equals("reasoning")) prompt = prompt.options(OpenAiChatOptions.builder().model("o4-mini").temperature(1.0).build());
        if (CASE.contains("stream")) {
            prompt.options(OpenAiChatOptions.builder().streamUsage(true).build()).stream().content().blockLast();
            pause();    // the spans of a stream end after its last piece, in a thread of their own
        } else {
            prompt.call().content();
        }
    }

    static void pause() {
        try {
            Thread.sleep(500);
        } catch (InterruptedException error) {
            Thread.currentThread().interrupt();
        }
    }

    static class Tools {
        @Tool(name = "get_weather", description = "Get the current weather at a location.")
        String weather(String location) {
            return "18 degrees and sunny in " + location;
        }

        @Tool(name = "search_docs", description = "Search the company's documents.")
        String search(String query) {
            return "Nothing found for " + query;
        }
    }
}
