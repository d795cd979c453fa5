//! Who calls whom: services, providers, models.

use crate::dialect::Dialect;

/// A model, by the names in a request and in its response.
#[derive(Debug)]
pub(crate) struct Model {
    pub(crate) request: &'static str,
    pub(crate) response: &'static str,
}

/// Who serves models.
#[derive(Debug)]
pub(crate) struct Provider {
    /// In the words of the semantic conventions.
    pub(crate) name: &'static str,
    pub(crate) host: &'static str,
    /// How response ids begin.
    pub(crate) id_prefix: &'static str,
    /// Its words for a complete answer, a cut one, and a wish for a tool.
    pub(crate) finish: [&'static str; 3],
    /// Its Python package, which names its exceptions.
    pub(crate) package: &'static str,
}

/// An instrumented application.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) name: &'static str,
    pub(crate) version: &'static str,
    /// Its share of the traffic.
    pub(crate) weight: u32,
    pub(crate) provider: &'static Provider,
    pub(crate) models: [&'static Model; 2],
    pub(crate) dialect: Dialect,
    /// Whether answers are streamed.
    pub(crate) streams: bool,
    /// Whether it lets models call tools.
    pub(crate) agent: bool,
    /// Whether its spans carry prompts.
    pub(crate) prompts: bool,
    /// Whether large prompts come from a cache.
    pub(crate) caches: bool,
    pub(crate) route: &'static str,
}

static OPENAI: Provider = Provider {
    name: "openai",
    host: "api.openai.com",
    id_prefix: "chatcmpl-",
    finish: ["stop", "length", "tool_calls"],
    package: "openai",
};
static ANTHROPIC: Provider = Provider {
    name: "anthropic",
    host: "api.anthropic.com",
    id_prefix: "msg_01",
    finish: ["end_turn", "max_tokens", "tool_use"],
    package: "anthropic",
};
static GEMINI: Provider = Provider {
    name: "gcp.gemini",
    host: "generativelanguage.googleapis.com",
    id_prefix: "gem",
    finish: ["stop", "max_tokens", "tool_calls"],
    package: "google.genai.errors",
};
static BEDROCK: Provider = Provider {
    name: "aws.bedrock",
    host: "bedrock-runtime.us-east-1.amazonaws.com",
    id_prefix: "",
    finish: ["end_turn", "max_tokens", "tool_use"],
    package: "botocore.exceptions",
};
static MISTRAL: Provider = Provider {
    name: "mistral_ai",
    host: "api.mistral.ai",
    id_prefix: "cmpl-",
    finish: ["stop", "length", "tool_calls"],
    package: "mistralai",
};

static GPT_4O: Model = Model { request: "gpt-4o", response: "gpt-4o-2024-08-06" };
static GPT_4O_MINI: Model = Model { request: "gpt-4o-mini", response: "gpt-4o-mini-2024-07-18" };
static SONNET: Model = Model { request: "claude-sonnet-4-5", response: "claude-sonnet-4-5-20250929" };
static HAIKU: Model = Model { request: "claude-haiku-4-5", response: "claude-haiku-4-5-20251001" };
static FLASH: Model = Model { request: "gemini-2.5-flash", response: "gemini-2.5-flash" };
static PRO: Model = Model { request: "gemini-2.5-pro", response: "gemini-2.5-pro" };
static NOVA: Model = Model { request: "amazon.nova-pro-v1:0", response: "amazon.nova-pro-v1:0" };
static BEDROCK_SONNET: Model = Model {
    request: "anthropic.claude-3-5-sonnet-20241022-v2:0",
    response: "anthropic.claude-3-5-sonnet-20241022-v2:0",
};
static LARGE: Model = Model { request: "mistral-large-latest", response: "mistral-large-2411" };
static SMALL: Model = Model { request: "mistral-small-latest", response: "mistral-small-2503" };

/// All services, each with another way of being traced.
pub(crate) static SERVICES: [Service; 8] = [
    Service {
        name: "checkout-assistant",
        version: "1.14.2",
        weight: 22,
        provider: &OPENAI,
        models: [&GPT_4O, &GPT_4O_MINI],
        dialect: Dialect::Otel,
        streams: true,
        agent: false,
        prompts: false,
        caches: false,
        route: "/assist",
    },
    Service {
        name: "support-chat",
        version: "3.2.0",
        weight: 22,
        provider: &ANTHROPIC,
        models: [&SONNET, &HAIKU],
        dialect: Dialect::WrappedAnthropicSdk,
        streams: true,
        agent: false,
        prompts: false,
        caches: true,
        route: "/chat",
    },
    Service {
        name: "research-agent",
        version: "0.9.1",
        weight: 12,
        provider: &ANTHROPIC,
        models: [&SONNET, &SONNET],
        dialect: Dialect::AnthropicSdk,
        streams: false,
        agent: true,
        prompts: false,
        caches: true,
        route: "/research",
    },
    Service {
        name: "docs-search",
        version: "2.0.4",
        weight: 12,
        provider: &GEMINI,
        models: [&FLASH, &PRO],
        dialect: Dialect::Otel,
        streams: true,
        agent: false,
        prompts: true,
        caches: false,
        route: "/search",
    },
    Service {
        name: "invoice-reader",
        version: "1.1.0",
        weight: 10,
        provider: &BEDROCK,
        models: [&NOVA, &BEDROCK_SONNET],
        dialect: Dialect::Otel,
        streams: false,
        agent: true,
        prompts: false,
        caches: false,
        route: "/invoices",
    },
    Service {
        name: "translator",
        version: "5.0.0",
        weight: 8,
        provider: &MISTRAL,
        models: [&LARGE, &SMALL],
        dialect: Dialect::Otel,
        streams: true,
        agent: false,
        prompts: true,
        caches: false,
        route: "/translate",
    },
    Service {
        name: "newsletter-writer",
        version: "0.3.7",
        weight: 8,
        provider: &ANTHROPIC,
        models: [&HAIKU, &SONNET],
        dialect: Dialect::Wrapper,
        streams: true,
        agent: false,
        prompts: false,
        caches: false,
        route: "/draft",
    },
    Service {
        name: "eval-runner",
        version: "0.1.0",
        weight: 6,
        provider: &OPENAI,
        models: [&GPT_4O_MINI, &GPT_4O],
        dialect: Dialect::OpenInference,
        streams: true,
        agent: false,
        prompts: true,
        caches: false,
        route: "/evaluate",
    },
];
