//! SARIF 2.1.0 (OASIS), for code scanning.

use super::Region;
use crate::config::{Code, Diagnostic, Diagnostics};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Value, json};
use std::path::Path;

const SCHEMA: &str = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

/// What a path of a URI reference can't hold (RFC 3986 §3.3); a colon in its first segment would be a scheme.
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'%')
    .add(b':')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'[')
    .add(b'\\')
    .add(b']')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

pub(super) fn render(diagnostics: &Diagnostics) -> Value {
    let results: Vec<_> =
        diagnostics.regions().map(|(problem, region)| result(diagnostics, problem, &region)).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "stepgate",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": Vec::from(Code::ALL.map(rule)),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    })
}

fn rule(code: Code) -> Value {
    json!({
        "id": code.to_string(),
        "shortDescription": { "text": code.summary() },
        "defaultConfiguration": { "level": code.severity().as_str() },
    })
}

fn result(diagnostics: &Diagnostics, problem: &Diagnostic, region: &Region<'_>) -> Value {
    let related = problem.related.iter().filter_map(|(place, what)| {
        let physical = physical_location(&diagnostics.region(*place)?);
        Some(json!({ "physicalLocation": physical, "message": { "text": what } }))
    });
    json!({
        "ruleId": problem.code.to_string(),
        "ruleIndex": Code::ALL.iter().position(|code| *code == problem.code),
        "level": problem.severity.as_str(),
        "message": { "text": format!("{}\n{}", problem.message, problem.help) },
        "locations": [{ "physicalLocation": physical_location(region) }],
        "relatedLocations": related.collect::<Vec<_>>(),
    })
}

fn physical_location(region: &Region<'_>) -> Value {
    json!({
        "artifactLocation": { "uri": uri(region.path) },
        "region": {
            "startLine": region.start.line,
            "startColumn": region.start.column,
            "endLine": region.end.line,
            "endColumn": region.end.column,
        },
    })
}

fn uri(path: &Path) -> String {
    let text = path.to_string_lossy();
    let encoded = utf8_percent_encode(&text, PATH);
    if path.is_absolute() { format!("file://{encoded}") } else { encoded.to_string() }
}
