use super::lanes::Lanes;
use super::{Report, Step};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");
/// More lines of text than this are not put into a page a second time.
const LINES_MOST: usize = 2_000;

pub(super) fn html(report: &Report<'_>) -> String {
    let heading = &report.heading;
    let data = serde_json::to_string(&Lanes::of(report)).expect("lanes are numbers and text");
    let mut page = String::with_capacity(data.len() + SCRIPT.len() + STYLE.len() + 4_096);
    page.push_str("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    page.push_str("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    page.push_str("<meta name=\"color-scheme\" content=\"light dark\">\n");
    let title = escape(&heading.title);
    page.push_str(&format!(
        "<title>{title} · tenure-sim</title>\n<style>\n{STYLE}</style>\n"
    ));
    page.push_str(&format!("</head>\n<body>\n<header>\n<h1>{title}</h1>\n"));
    if !heading.sentence.is_empty() {
        page.push_str(&format!(
            "<p class=\"sentence\">{}</p>\n",
            escape(&heading.sentence)
        ));
    }
    for line in report.summary() {
        let class = if line.starts_with("VIOLATION") {
            " class=\"violation\""
        } else {
            ""
        };
        page.push_str(&format!("<p{class}>{}</p>\n", escape(&line)));
    }
    page.push_str("</header>\n<main>\n");
    page.push_str(include_str!("page.html"));
    page.push_str(&as_text(report));
    page.push_str("</main>\n");
    page.push_str(&format!(
        "<script type=\"application/json\" id=\"run\">{}</script>\n<script>\n{SCRIPT}</script>\n</body>\n</html>\n",
        inert(&data)
    ));
    page
}

/// The transitions as text, for those who have no scripts, or no eyes for lanes.
fn as_text(report: &Report<'_>) -> String {
    let steps = report.steps();
    let mut text = format!("{}\n", Step::header(report.plan.nodes.len()));
    for step in steps.iter().take(LINES_MOST) {
        text.push_str(&format!("{step}\n"));
    }
    let more = steps.len().saturating_sub(LINES_MOST);
    if more > 0 {
        text.push_str(&format!(
            "… and {more} more: `tenure-sim report --text` prints all\n"
        ));
    }
    format!(
        "<details id=\"as-text\">\n<summary>The same as text</summary>\n<p>{}</p>\n<pre tabindex=\"0\">{}</pre>\n</details>\n",
        escape(Step::LEGEND),
        escape(&text)
    )
}

/// Text that means nothing to a browser.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// JSON that cannot end the element that it stands in.
fn inert(json: &str) -> String {
    json.replace('<', "\\u003c")
}
