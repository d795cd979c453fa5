//! Documents that were retrieved.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "what tests do when they fail")]

mod support;

use serde_json::{Value as Json, json};
use spanmill_genai::Options;
use support::{assert_has, engine, normalise, pass, sample};

const DOCUMENTS: &str = "gen_ai.retrieval.documents";

/// Scenario: a retriever and a reranker of OpenInference, and a vector database as OpenLLMetry traces it, with originals removed.
/// Guarantees: the conventions' attribute has the documents in their order, with everything that was said of them; the query is there, and what the
/// reranker was given is not taken for what it answered.
#[test]
fn documents_become_one_attribute() {
    let retriever = json!({
        "openinference.span.kind": "RETRIEVER", "input.value": "refunds?",
        "retrieval.documents.1.document.id": "b", "retrieval.documents.1.document.score": 0.5,
        "retrieval.documents.0.document.id": 7, "retrieval.documents.0.document.score": 1.0,
        "retrieval.documents.0.document.content": "Within 14 days.", "retrieval.documents.0.document.metadata": "{\"page\": 3}",
    });
    let reranker = json!({
        "openinference.span.kind": "RERANKER", "reranker.query": "refunds?", "reranker.model_name": "rerank-v3.5",
        "reranker.input_documents.0.document.id": "a", "reranker.input_documents.0.document.score": 0.1,
        "reranker.output_documents.0.document.id": "b", "reranker.output_documents.0.document.score": 0.9,
    });
    let engine = engine(&Options { remove_originals: true, ..Options::default() });
    let seen = pass(&engine, &[
        sample(1, "openinference.instrumentation.llama_index", &retriever),
        sample(2, "openinference.instrumentation.llama_index", &reranker),
        sample(3, "opentelemetry.instrumentation.pinecone", &json!({ "db.system": "pinecone" }))
            .event(1, "db.query.result", &json!({ "db.query.result.id": "x", "db.query.result.score": 0.75, "db.query.result.metadata": "{}" }))
            .event(2, "db.query.result", &json!({ "db.query.result.id": "y", "db.query.result.score": 0.25 })),
    ]);
    let documents = |id: u8| -> Json { serde_json::from_str(seen[&id][DOCUMENTS].as_str().unwrap()).unwrap() };
    assert_eq!(
        documents(1),
        json!([
            { "id": "7", "score": 1.0, "content": "Within 14 days.", "metadata": { "page": 3 } }, { "id": "b", "score": 0.5 },
        ])
    );
    assert_eq!(documents(2), json!([{ "id": "b", "score": 0.9 }]));
    assert_eq!(documents(3), json!([{ "id": "x", "score": 0.75, "metadata": {} }, { "id": "y", "score": 0.25 }]));
    assert_has(
        &seen[&1],
        &json!({ "gen_ai.retrieval.query.text": "refunds?", "retrieval.documents.0.document.id": null }),
        "retriever",
    );
    assert_has(
        &seen[&2],
        &json!({ "gen_ai.retrieval.query.text": "refunds?", "reranker.output_documents.0.document.id": null, "reranker.input_documents.0.document.id": "a" }),
        "reranker",
    );
}

/// Scenario: documents without a score, which the conventions ask for; and a span that has the attribute already.
/// Guarantees: nothing is made up, and what is there stays.
#[test]
fn documents_that_stay() {
    let without = json!({
        "openinference.span.kind": "RETRIEVER", "retrieval.documents.0.document.id": "a", "retrieval.documents.0.document.content": "x",
    });
    let there = json!({
        "gen_ai.operation.name": "retrieval", DOCUMENTS: "[{\"id\":\"a\",\"score\":1}]",
        "retrieval.documents.0.document.id": "b", "retrieval.documents.0.document.score": 0.5,
    });
    let seen = normalise(&[sample(1, "openinference.instrumentation.langchain", &without), sample(2, "any", &there)]);
    assert_has(&seen[&1], &json!({ DOCUMENTS: null, "retrieval.documents.0.document.content": "x" }), "no score");
    assert_has(&seen[&2], &json!({ DOCUMENTS: "[{\"id\":\"a\",\"score\":1}]" }), "there");
}
