//! The text: facts with their labels in one column, and tables below their titles.

use std::fmt::Display;

#[derive(Debug, Default)]
pub(super) struct Page(String);

/// The longest label, and a space.
const LABEL_COLUMNS: usize = 12;

impl Page {
    pub(super) fn fact(&mut self, label: &str, text: impl Display) {
        self.line(&format!("{label:<LABEL_COLUMNS$}{text}"));
    }

    /// Rows of columns, each as wide as its widest text; the last runs on.
    pub(super) fn table<const N: usize>(&mut self, title: &str, rows: &[[String; N]]) {
        self.gap();
        self.line(title);
        let width =
            |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|text| text.chars().count()).max();
        let widths: Vec<_> = (0..N).map(|column| width(column).unwrap_or(0)).collect();
        for row in rows {
            let columns = row.iter().zip(&widths).map(|(text, width)| format!("  {text:<width$}", width = *width));
            self.line(&columns.collect::<String>());
        }
    }

    pub(super) fn gap(&mut self) {
        self.0.push('\n');
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }

    fn line(&mut self, text: &str) {
        self.0.push_str(text.trim_end());
        self.0.push('\n');
    }
}

/// Names with commas between, or `none`.
pub(super) fn list<T: Display>(names: impl IntoIterator<Item = T>) -> String {
    let names: Vec<_> = names.into_iter().map(|name| name.to_string()).collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
