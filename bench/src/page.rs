//! The pages that benchmarks send: the same for us and for every rival.

use std::ops::Range;

/// Rows of a page at this tick: in every tenth, the value has changed.
pub fn rows(rows: Range<u64>, tick: u64) -> String {
    rows.map(|i| row_at(i, tick)).collect()
}

/// Rows that have all changed with this tick.
pub fn changed_rows(rows: Range<u64>, tick: u64) -> String {
    let rows: Vec<_> = rows.map(|i| row(i, changed(i, tick))).collect();
    rows.join("\n")
}

/// A page of 20 KB at this tick: rows in a `main` element, until 20,000 bytes are passed.
pub fn page(tick: u64) -> String {
    let mut html = String::from(r#"<main id="app">"#);
    let mut i = 0;
    while html.len() <= 20_000 {
        html.push_str(&row_at(i, tick));
        i += 1;
    }
    html.push_str("</main>");
    html
}

fn row_at(i: u64, tick: u64) -> String {
    match i % 10 == tick % 10 {
        true => row(i, changed(i, tick)),
        false => row(i, i * 31 % 100_000),
    }
}

fn changed(i: u64, tick: u64) -> u64 {
    (tick * 7919 + i * 104_729) % 100_000
}

fn row(i: u64, value: u64) -> String {
    format!(
        r#"<div class="row flex items-center" id="row-{i}"><span class="name">item {i}</span><span class="value">{value}</span></div>"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_20_kb_and_changes_in_every_tenth_row() {
        let (one, other) = (page(1), page(11));
        assert!((20_000..20_300).contains(&one.len()), "{}", one.len());
        let rows = |page: &str| page.split("<div").map(str::to_owned).collect::<Vec<_>>();
        let (one, other) = (rows(&one), rows(&other));
        let changed = one
            .iter()
            .zip(&other)
            .filter(|(one, other)| one != other)
            .count();
        assert_eq!(changed, one.len() / 10);
    }
}
