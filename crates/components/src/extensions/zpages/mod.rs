//! `zpages`: pages for people that show what runs and what it does.

mod config;
mod html;

#[cfg(test)]
mod tests;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::json;
use spanmill_config::{ComponentId, ConfigError, Duration};
use spanmill_pipeline::{
    Component, ComponentError, Context, ExtensionFactory, Host, Kind, Layout, Operations, Page, Pages, Stability,
};

use super::arguments;
use crate::net::site::site;
use config::Config;
use html::{Html, anchor, cell};

/// Makes `zpages` extensions.
pub const FACTORY: ExtensionFactory =
    ExtensionFactory { kind: Kind { name: "zpages", aliases: &[], stability: Stability::Beta, signals: &[] }, create };

struct ZPages {
    config: Config,
    operations: Arc<Operations>,
    pages: Mutex<Option<Pages>>,
}

/// What pages are made of.
struct Shown {
    /// What runs now: it may change while this is shown.
    layout: Box<dyn Fn() -> Arc<Layout> + Send + Sync>,
    operations: Arc<Operations>,
    began: Timestamp,
    expvar: bool,
}

/// A query, by name.
struct Query<'q>(&'q str);

fn create(context: Context<'_>) -> Result<Arc<dyn Component>, ConfigError> {
    let config = Config::read(context.section)?;
    let operations = Arc::clone(context.telemetry.operations());
    Ok(Arc::new(ZPages { config, operations, pages: Mutex::default() }))
}

// === impl ZPages ===

#[async_trait]
impl Component for ZPages {
    async fn start(&self, host: &Host) -> Result<(), ComponentError> {
        let shown = Shown {
            layout: Box::new({
                let host = host.clone();
                move || host.layout()
            }),
            operations: Arc::clone(&self.operations),
            began: Timestamp::now(),
            expvar: self.config.expvar.enabled,
        };
        let Config { endpoint, tls, auth, .. } = &self.config;
        let site = site(host, endpoint, tls.as_ref(), auth.as_ref())?;
        let pages = Pages::serve_queries(&host.listeners(), site, move |path, query| shown.page(path, &Query(query)))
            .await
            .map_err(|source| ComponentError::Io { context: format!("cannot listen on {endpoint}"), source })?;
        self.operations.watch();
        tracing::info!(endpoint = %pages.address(), "zpages");
        *self.pages.lock().unwrap_or_else(PoisonError::into_inner) = Some(pages);
        Ok(())
    }

    async fn shutdown(&self) -> Result<(), ComponentError> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(pages) = pages {
            pages.stop().await;
        }
        Ok(())
    }
}

// === impl Shown ===

impl Shown {
    fn page(&self, path: &str, query: &Query<'_>) -> Option<Page> {
        Some(match path {
            "/debug/servicez" => Page::html(200, self.service()),
            "/debug/pipelinez" => Page::html(200, self.pipelines(query)),
            "/debug/extensionz" => Page::html(200, self.extensions(query)),
            "/debug/featurez" => Page::html(200, features()),
            "/debug/tracez" => Page::html(200, self.traces(query)),
            "/debug/expvarz" if self.expvar => Page::json(200, json!({ "cmdline": arguments::shown() }).to_string()),
            _ => return None,
        })
    }

    fn service(&self) -> String {
        let mut page = Html::new("Service spanmill");
        let pair = |name: &str, value: &str| vec![cell(name), cell(value)];
        page.heading("Build Info");
        let description = "a span pipeline for GenAI telemetry";
        page.table(
            &[],
            [pair("Command", "spanmill"), pair("Description", description), pair("Version", env!("CARGO_PKG_VERSION"))],
        );
        page.heading("Runtime Info");
        page.table(
            &[],
            [
                pair("StartTimestamp", &self.began.to_string()),
                pair("OS", std::env::consts::OS),
                pair("Arch", std::env::consts::ARCH),
            ],
        );
        for (path, name) in
            [("pipelinez", "Pipelines"), ("extensionz", "Extensions"), ("featurez", "Features"), ("tracez", "Traces")]
        {
            page.link(path, name);
        }
        page.finish()
    }

    fn pipelines(&self, query: &Query<'_>) -> String {
        let mut page = Html::new("Pipelines");
        let layout = (self.layout)();
        let rows = layout.pipelines.iter().map(|(id, pipeline)| {
            let list = |ids: &[ComponentId], kind: &str, between: &str| {
                let name = |component: &ComponentId| {
                    let connects = kind != "processor" && layout.connectors.contains(component);
                    let name = if connects { format!("{component} (connector)") } else { component.to_string() };
                    let (pipeline, shown) = (escape(&id.to_string()), escape(&name));
                    anchor(&format!("?zpipelinename={pipeline}&zcomponentname={shown}&zcomponentkind={kind}"), name)
                };
                ids.iter().map(name).collect::<Vec<_>>().join(between)
            };
            let processors = match list(&pipeline.processors, "processor", " &rarr; ") {
                none if none.is_empty() => "&rarr;".to_owned(),
                some => format!("&rarr; {some} &rarr;"),
            };
            vec![
                cell(id),
                cell(id.signal()),
                // Each pipeline works on edits of its own over bytes that all share.
                cell("false"),
                list(&pipeline.receivers, "receiver", "<br>"),
                processors,
                list(&pipeline.exporters, "exporter", "<br>"),
            ]
        });
        let rows: Vec<Vec<String>> = rows.collect();
        page.table(&["FullName", "InputType", "MutatesData", "Receivers", "Processors", "Exporters"], rows);
        if let (Some(pipeline), Some(component), Some(kind)) =
            (query.get("zpipelinename"), query.get("zcomponentname"), query.get("zcomponentkind"))
        {
            page.heading(&format!("{kind} {component} in {pipeline}"));
        }
        page.finish()
    }

    fn extensions(&self, query: &Query<'_>) -> String {
        let mut page = Html::new("Extensions");
        let mut names: Vec<String> = (self.layout)().extensions.iter().map(ToString::to_string).collect();
        names.sort_unstable();
        page.table(&[], names.iter().map(|name| vec![anchor(&format!("?zextensionname={}", escape(name)), name)]));
        if let Some(name) = query.get("zextensionname") {
            page.heading(&name);
        }
        page.finish()
    }

    /// What receivers and exporters did lately, by how long it took.
    fn traces(&self, query: &Query<'_>) -> String {
        let mut page = Html::new("Trace Spans");
        let bounds = Operations::BOUNDS.map(|bound| format!(">{}", Duration::from(bound)));
        let head = ["Name", "Running"].into_iter().chain(bounds.iter().map(String::as_str)).chain(["Errors"]);
        let rows = self.operations.summaries().into_iter().map(|summary| {
            let name = escape(&summary.name);
            let of = |kind: u8, sort: usize| format!("?zspanname={name}&ztype={kind}&zlatencybucket={sort}");
            let mut row = vec![cell(&summary.name), cell(summary.running)];
            row.extend(summary.by_time.iter().enumerate().map(|(sort, count)| anchor(&of(1, sort), count)));
            row.push(anchor(&of(2, 0), summary.errors));
            row
        });
        page.table(&head.collect::<Vec<_>>(), rows);
        if let Some(name) = query.get("zspanname") {
            page.heading(&name);
            let sort = query.get("zlatencybucket").and_then(|sort| sort.parse().ok()).unwrap_or(0);
            let kind = query.get("ztype");
            let samples = match kind.as_deref() {
                Some("1") => self.operations.samples(&name, Some(sort)),
                Some("2") => self.operations.samples(&name, None),
                _ => Vec::new(),
            };
            page.text(&format!("{} samples", samples.len()));
            let now = Instant::now();
            let rows = samples.iter().map(|operation| {
                let ago = Duration::from(now.duration_since(operation.ended));
                let took = Duration::from(operation.took);
                vec![cell(ago), cell(took), cell(operation.error.as_deref().unwrap_or("ok"))]
            });
            page.table(&["Ended ago", "Took", "Status"], rows);
        }
        page.finish()
    }
}

fn features() -> String {
    let mut page = Html::new("Feature Gates");
    page.text("There are none.");
    page.finish()
}

/// A text in a query.
fn escape(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}

// === impl Query ===

impl Query<'_> {
    /// The first value under a name; none where it is empty.
    fn get(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.0.as_bytes());
        let (_, value) = pairs.find(|(found, _)| found == name)?;
        Some(value.into_owned()).filter(|value| !value.is_empty())
    }
}
