//! Random numbers, and events made of them.

use sidereal_sse::{Event, Frame, IntoFrame};

/// SplitMix64.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }

    pub(crate) fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    /// From 1 to 400 KB, each order of magnitude as often as the others.
    pub(crate) fn size(&mut self) -> usize {
        let exponent = self.below(1 << 16) as f64 / f64::from(1 << 16);
        (400_000_f64.powf(exponent)) as usize
    }
}

/// A page of rows, as the benchmarks have it: every tenth row has a value of this tick.
pub(crate) fn page(rows: u64, tick: u64) -> Frame {
    let mut html = String::new();
    for i in 0..rows {
        let value = match i % 10 == tick % 10 {
            true => (tick * 7919 + i * 104_729) % 100_000,
            false => i * 31 % 100_000,
        };
        html.push_str(&format!(
            r#"<div class="row flex items-center" id="row-{i}"><span class="name">item {i}</span><span class="value">{value}</span></div>"#
        ));
    }
    Event::new(html).into_frame()
}

/// Text of this length: new, or what went before with changes, or noise, or one letter, or a few
/// words again and again.
pub(crate) fn text(random: &mut Random, length: usize, before: &str) -> String {
    let mut text = String::with_capacity(length + 8);
    match random.below(10) {
        0 => text.extend((0..length).map(|_| char::from(32 + random.below(95) as u8))),
        1 => text.extend(std::iter::repeat_n(
            random.of(&['x', '.', ':', '\n', 'é']),
            length,
        )),
        2..=6 if !before.is_empty() => {
            let mut rest = before;
            while !rest.is_empty() && text.len() < length {
                let mut step = (1 + random.below(1 + length / 4)).min(rest.len());
                while !rest.is_char_boundary(step) {
                    step += 1;
                }
                match random.below(6) {
                    0 => {}
                    1 => text.push_str(&random.below(100_000).to_string()),
                    _ => text.push_str(&rest[..step]),
                }
                rest = &rest[step..];
            }
        }
        _ => {
            let words = [
                "<div class=\"row\">",
                "</div>",
                "value",
                " ",
                "42",
                "<span>é</span>",
                "\r\n",
                "name",
            ];
            while text.len() < length {
                text.push_str(random.of(&words));
                if random.one_in(3) {
                    text.push_str(&random.below(1000).to_string());
                }
            }
        }
    }
    text
}
