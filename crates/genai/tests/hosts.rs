//! Who serves a model, where an instrumentation knows the API alone.

#![allow(clippy::indexing_slicing, reason = "what tests do when they fail")]

mod support;

use serde_json::{Value as Json, json};
use support::{assert_has, normalise, sample};

const OPENAI: &str = "opentelemetry.instrumentation.openai.v1";

/// The provider of a call whose span says that one, and these attributes besides.
fn provider(said: &Json, more: &Json) -> Json {
    let mut attributes =
        json!({ "gen_ai.operation.name": "chat", "gen_ai.request.model": "m", "gen_ai.provider.name": said });
    if let (Some(attributes), Some(more)) = (attributes.as_object_mut(), more.as_object()) {
        attributes.extend(more.clone());
    }
    // Twice: what was remembered of a host means the same the second time.
    let seen = normalise(&[sample(1, OPENAI, &attributes), sample(2, OPENAI, &attributes)]);
    let provider = |id: u8| seen[&id].get("gen_ai.provider.name").cloned().unwrap_or(Json::Null);
    assert_eq!(provider(1), provider(2));
    provider(1)
}

/// Scenario: clients of OpenAI's API that were pointed at other providers, known by the address of the server.
/// Guarantees: the host tells the provider, also below a domain and with a region in its name; a host that only ends like one, or
/// is nobody's, tells nothing.
#[test]
fn a_host_tells_who_speaks_openai() {
    for (host, expected) in [
        ("example.openai.azure.com", "azure.ai.openai"),
        ("models.inference.ai.azure.com", "azure.ai.inference"),
        ("api.groq.com", "groq"),
        ("API.Mistral.AI", "mistral_ai"),
        ("openrouter.ai", "openrouter"),
        ("api.deepseek.com", "deepseek"),
        ("generativelanguage.googleapis.com", "gcp.gemini"),
        ("europe-west4-aiplatform.googleapis.com", "gcp.vertex_ai"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "aws.bedrock"),
        ("eu.api.openai.com", "openai"),
        ("my-openrouter.ai", "openai"),
        ("api.groq.com.example.org", "openai"),
        ("127.0.0.1", "openai"),
        ("", "openai"),
    ] {
        assert_eq!(provider(&json!("openai"), &json!({ "server.address": host })), expected, "{host}");
    }
}

/// Scenario: the same with a provider that is someone else's, with none, and with an address in a URL alone.
/// Guarantees: who is named for another reason than the API stays; a host is believed before a guess from the model; the host of a
/// URL counts and is written as the server's address, an address that stands there comes first.
#[test]
fn a_host_does_not_overrule_names() {
    let at = |host: &str| json!({ "server.address": host, "gen_ai.request.model": "claude-x" });
    assert_eq!(provider(&json!("anthropic"), &at("openrouter.ai")), "anthropic");
    assert_eq!(provider(&Json::Null, &at("openrouter.ai")), "openrouter");
    assert_eq!(provider(&Json::Null, &at("10.0.0.1")), "anthropic");
    for (key, url) in [
        ("gen_ai.openai.api_base", "https://api.groq.com/openai/v1/"),
        ("url.full", "https://key@api.groq.com:443?x=//a"),
        ("http.url", "http://api.groq.com"),
    ] {
        assert_eq!(provider(&json!("openai"), &json!({ key: url })), "groq", "{url}");
        let attributes = json!({ "gen_ai.operation.name": "chat", key: url });
        let expected = json!({ "server.address": "api.groq.com", key: url });
        assert_has(&normalise(&[sample(1, OPENAI, &attributes)])[&1], &expected, url);
    }
    let both = json!({ "url.full": "https://api.groq.com/v1", "server.address": "api.x.ai" });
    assert_eq!(provider(&json!("openai"), &both), "x_ai");
    for url in ["", "api.groq.com", "https://", "https://[::1]:8080/v1", "http://:80"] {
        assert_eq!(provider(&json!("openai"), &json!({ "url.full": url })), "openai", "{url}");
    }
}

/// Scenario: a source that no file describes writes the URL it called, and behind it the host.
/// Guarantees: the host stands once.
#[test]
fn a_host_behind_its_url_stands_once() {
    let attributes = json!({ "gen_ai.operation.name": "chat", "http.url": "https://api.mistral.ai/v1/chat", "server.address": "api.mistral.ai" });
    let seen = normalise(&[sample(1, "my.app", &attributes)]);
    assert_has(&seen[&1], &json!({ "server.address": "api.mistral.ai", "gen_ai.provider.name": "mistral_ai" }), "once");
}

/// Scenario: the maker of a model is said to be the provider, of one that has Bedrock's name, and of one that has not.
/// Guarantees: Bedrock serves the first.
#[test]
fn the_maker_of_a_model_need_not_serve_it() {
    for (model, served) in [
        ("anthropic.claude-3-5-sonnet-20241022-v2:0", "aws.bedrock"),
        ("us.anthropic.claude-sonnet-4-20250514-v1:0", "aws.bedrock"),
        ("claude-sonnet-4-5", "anthropic"),
        ("my.anthropic.model", "anthropic"),
    ] {
        assert_eq!(provider(&json!("anthropic"), &json!({ "gen_ai.request.model": model })), json!(served), "{model}");
    }
}

/// Scenario: spans of HTTP clients right below calls whose library says another provider, or one that only stands for the API, and whose
/// own address is that of a proxy; hosts in three attributes, one that nobody knows, two providers below one call, a server's span.
/// Guarantees: a known host tells the provider before all else; what is unknown, or not one, tells nothing.
#[test]
fn the_request_below_tells_the_provider() {
    let call = |id| {
        let attributes = json!({ "openinference.span.kind": "LLM", "llm.provider": "google", "llm.model_name": "gemini-2.5-flash",
            "llm.token_count.prompt": 5, "llm.token_count.completion": 6, "server.address": "api.groq.com" });
        sample(id, "openinference.instrumentation.google_genai", &attributes)
    };
    let http = |id, more: &Json| sample(id, "opentelemetry.instrumentation.httpx", more).below(1);
    let vertex = "us-central1-aiplatform.googleapis.com";
    let provider = |samples: &[support::Sample]| normalise(samples)[&1]["gen_ai.provider.name"].clone();
    for (key, value) in [
        ("server.address", vertex.to_owned()),
        ("url.full", format!("https://{vertex}/v1/x?y=z")),
        ("http.url", format!("https://{vertex}:443/v1")),
    ] {
        assert_eq!(provider(&[call(1), http(2, &json!({ key: value }))]), "gcp.vertex_ai", "{key}");
    }
    assert_eq!(provider(&[call(1), http(2, &json!({ "server.address": "10.0.0.1" }))]), "gcp.gen_ai");
    let two = [
        http(2, &json!({ "server.address": vertex })),
        http(3, &json!({ "server.address": "api.openai.com" })),
        call(1),
    ];
    assert_eq!(provider(&two), "gcp.gen_ai");
    assert_eq!(provider(&[call(1), http(2, &json!({ "server.address": vertex })).kind(2)]), "gcp.gen_ai");
}

/// Scenario: names of models as LiteLLM has them, on its spans, without a provider and with one of the same family; an alias of OpenRouter's own;
/// and the same on spans of another library.
/// Guarantees: the first segment names the provider where nothing else does and is cut off, and only the first; elsewhere a word that only
/// LiteLLM puts there is part of the name.
#[test]
fn litellm_routes_by_the_name() {
    let cases = [
        ("groq/llama-3.3-70b-versatile", Json::Null, "groq", "llama-3.3-70b-versatile"),
        ("cohere_chat/command-r-plus", Json::Null, "cohere", "command-r-plus"),
        ("openrouter/openai/gpt-4o", Json::Null, "openrouter", "openai/gpt-4o"),
        ("openrouter/openrouter/auto", Json::Null, "openrouter", "openrouter/auto"),
        ("ollama_chat/llama3.2", Json::Null, "ollama", "llama3.2"),
        ("together_ai/meta-llama/Llama-3.3-70B", Json::Null, "together_ai", "meta-llama/Llama-3.3-70B"),
        ("perplexity/sonar", Json::Null, "perplexity", "sonar"),
        ("fireworks_ai/accounts/fireworks/models/x", Json::Null, "fireworks", "accounts/fireworks/models/x"),
        ("azure_ai/Phi-4", Json::Null, "azure.ai.inference", "Phi-4"),
        ("hosted_vllm/meta-llama/X", Json::Null, "vllm", "meta-llama/X"),
        ("cerebras/llama3.1-8b", Json::Null, "cerebras", "llama3.1-8b"),
        ("gemini/gemini-2.5-flash", json!("google"), "gcp.gen_ai", "gemini-2.5-flash"),
        ("anthropic/claude-x", json!("openrouter"), "openrouter", "anthropic/claude-x"),
    ];
    for (name, said, provider, model) in cases {
        let attributes = json!({ "openinference.span.kind": "LLM", "llm.provider": said, "llm.model_name": name });
        let seen = normalise(&[sample(1, "openinference.instrumentation.litellm", &attributes)]);
        assert_has(&seen[&1], &json!({ "gen_ai.provider.name": provider, "gen_ai.request.model": model }), name);
    }
    let own = json!({ "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openrouter", "gen_ai.request.model": "openrouter/auto" });
    assert_has(
        &normalise(&[sample(1, OPENAI, &own)])[&1],
        &json!({ "gen_ai.request.model": "openrouter/auto" }),
        "its own",
    );
}
