//! Images, audio, video and files in messages: inside as base64, at an address, or given to the provider before.

use std::borrow::Cow;

use super::model::{Extra, Part};
use super::raw::{Node, Object};

/// Where the data of a part is.
enum Place {
    Inside(String),
    At(String),
    Given(String),
}

/// Reads a part whose type says that it is media; nothing if it is something else.
pub(crate) fn typed(kind: &str, mut object: Object<'_>) -> Option<Part> {
    let modality = modality_of_kind(kind)?;
    let mut mime = object.take_word(&["mime_type", "mimeType", "mediaType", "media_type"]);
    let mut left = Extra::default();
    let said = object.take_word(&["modality"]);
    let place = match kind {
        "image_url" | "image-url" | "input_image" | "input_audio" | "audio_url" | "video_url" | "document_url"
        | "media" => place(
            object.take(&[
                "image_url",
                "input_audio",
                "audio_url",
                "video_url",
                "document_url",
                "url",
                "data",
                "file_uri",
            ]),
            &mut mime,
            &mut left,
        ),
        "blob" => object.take_word(&["content", "data"]).map(Place::Inside),
        "uri" => object.take_word(&["uri"]).map(Place::At),
        _ => place(
            object.take(&["source", kind, "data", "file", "content", "url", "base64", "binary"]),
            &mut mime,
            &mut left,
        ),
    };
    let place = place
        .or_else(|| object.take_word(&["file_id", "fileId"]).map(Place::Given))
        .or_else(|| object.take_word(&["file_data"]).map(|data| data_of(data, &mut mime)))
        .or_else(|| object.take_word(&["file_url"]).map(Place::At))?;
    let modality = said.map_or_else(|| refine(modality, mime.as_deref()), Cow::Owned);
    left.extend(object);
    Some(part(place, modality, mime, left))
}

/// Reads a part without a type: Gemini's and Bedrock's. Gives the object back if it is something else.
pub(crate) fn untyped(mut object: Object<'_>) -> Result<Part, Object<'_>> {
    const WRAPPERS: &[&str] =
        &["inlineData", "inline_data", "fileData", "file_data", "image", "audio", "video", "document"];
    for wrapper in WRAPPERS {
        let Some(mut inner) = object.take_map(wrapper) else { continue };
        let mut mime = inner.take_word(&["mimeType", "mime_type"]);
        let mut left = Extra::default();
        let found = place(inner.take(&["data", "fileUri", "file_uri", "source", "url"]), &mut mime, &mut left);
        let Some(found) = found else { return Err(object) };
        let kind = modality_of_kind(wrapper).unwrap_or("file");
        // Bedrock says `png`, not `image/png`.
        let format = inner.take_word(&["format"]);
        let mime = mime.or_else(|| format.map(|format| mime_of_format(kind, &format)));
        let modality = refine(kind, mime.as_deref());
        left.extend(inner);
        return Ok(part(found, modality, mime, left));
    }
    Err(object)
}

/// An image that is nothing but its data or address.
pub(crate) fn bare(text: String, modality: &'static str) -> Part {
    let mut mime = None;
    let place = data_or_address(text, &mut mime);
    part(place, refine(modality, mime.as_deref()), mime, Extra::default())
}

/// Data that is known to be base64.
pub(crate) fn blob(content: String, modality: &'static str, mime_type: Option<String>) -> Part {
    part(Place::Inside(content), refine(modality, mime_type.as_deref()), mime_type, Extra::default())
}

fn part(place: Place, modality: Cow<'static, str>, mime_type: Option<String>, extra: Extra) -> Part {
    match place {
        Place::Inside(content) => Part::Blob { mime_type, modality, content, extra },
        Place::At(uri) => Part::Uri { mime_type, modality, uri, extra },
        Place::Given(file_id) => Part::File { mime_type, modality, file_id, extra },
    }
}

/// The place that a source, or a text, names; what else the source says goes to `left`.
fn place(source: Option<Node<'_>>, mime: &mut Option<String>, left: &mut Extra) -> Option<Place> {
    match source? {
        Node::Text(text) => Some(data_or_address(text.into_owned(), mime)),
        Node::Map(mut source) => {
            let said = source.take_word(&["media_type", "mime_type", "mimeType", "mediaType"]);
            let format = source.take_word(&["format"]);
            *mime = mime.take().or(said).or_else(|| format.map(|format| mime_of_format("audio", &format)));
            let place = if let Some(id) = source.take_word(&["file_id", "fileId"]) {
                Place::Given(id)
            } else if let Some(data) = source.take(&["data", "bytes", "file_data"]) {
                data_of(data.into_text()?, mime)
            } else if let Some(inner) =
                ["image", "audio", "video", "s3Location"].iter().find_map(|name| source.take_map(name))
            {
                self::place(Some(Node::Map(inner)), mime, left)?
            } else {
                data_or_address(source.take_word(&["url", "uri", "fileUri", "file_uri"])?, mime)
            };
            // `base64`, `url`: what kind of place it is.
            source.forget(&["type"]);
            left.extend(source);
            Some(place)
        }
        _ => None,
    }
}

/// An address, a data URL, or base64.
fn data_or_address(text: String, mime: &mut Option<String>) -> Place {
    let is_address = text.contains("://") || text.starts_with('/');
    match text.strip_prefix("data:") {
        Some(_) => data_of(text, mime),
        None if is_address => Place::At(text),
        None => Place::Inside(text),
    }
}

/// Data, of which a data URL also tells the type.
fn data_of(text: String, mime: &mut Option<String>) -> Place {
    let Some((head, data)) = text.strip_prefix("data:").and_then(|rest| rest.split_once(',')) else {
        return Place::Inside(text);
    };
    let Some(kind) = head.strip_suffix(";base64") else {
        return Place::At(text);
    };
    if !kind.is_empty() {
        *mime = mime.take().or_else(|| Some(kind.to_owned()));
    }
    Place::Inside(data.to_owned())
}

fn modality_of_kind(kind: &str) -> Option<&'static str> {
    Some(match kind {
        "image" | "image_url" | "image-url" | "input_image" => "image",
        "audio" | "input_audio" | "audio_url" => "audio",
        "video" | "video_url" => "video",
        "file" | "input_file" | "document" | "document_url" | "inlineData" | "inline_data" | "fileData"
        | "file_data" | "media" | "blob" | "uri" | "binary" => "file",
        _ => return None,
    })
}

/// A type of data tells more than the kind of the part.
fn refine(modality: &'static str, mime: Option<&str>) -> Cow<'static, str> {
    let said = mime.and_then(|mime| ["image", "audio", "video"].into_iter().find(|known| mime.starts_with(known)));
    Cow::Borrowed(said.filter(|_| modality == "file").unwrap_or(modality))
}

fn mime_of_format(kind: &str, format: &str) -> String {
    match kind {
        _ if format.contains('/') => format.to_owned(),
        "image" | "audio" | "video" => format!("{kind}/{format}"),
        _ if format == "pdf" => "application/pdf".to_owned(),
        _ => format!("text/{format}"),
    }
}
