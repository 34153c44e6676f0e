//! The texts: of mixed sizes, most of them much like the one before. `lib/texts.mjs` makes the same ones.

/// How many words each text has, in turn: from ten bytes to a hundred kilobytes.
const WORDS: [u32; 8] = [1, 12, 150, 2, 2_000, 40, 17_000, 1];

/// Among them: every way to end a line, what looks like the protocol, and characters of all lengths.
const PARTS: [&str; 16] = [
    "sun ",
    "Ganymede ",
    "überall ",
    "日食 ",
    "🪐",
    "data: ",
    ": ",
    "e\u{301}",
    "\u{2028}",
    "\t",
    "\r\n",
    "\n",
    "\r",
    "orbit orbit ",
    "id: 7",
    "  ",
];

/// The text of this number.
pub(crate) fn content(number: u32) -> String {
    // Every third one is new from end to end, in the others a few words change.
    let is_new = number % 3 == 2;
    let mut text = format!("text {number}: ");
    for place in 0..WORDS[number as usize % WORDS.len()] {
        let changes = is_new || place % 61 == number % 61;
        let random = mix(place, if changes { number + 1 } else { 0 });
        text.push_str(PARTS[random as usize % PARTS.len()]);
        if changes {
            // CJK ideographs: three bytes, of which not much can be compressed away.
            text.extend(char::from_u32(0x4e00 + (random >> 8) % 20_000));
        }
    }
    text.push('.');
    text
}

/// A number that looks random, from two others.
fn mix(place: u32, seed: u32) -> u32 {
    let mut x = place.wrapping_mul(0x9e37_79b1) ^ seed.wrapping_mul(0x85eb_ca77);
    x = (x ^ x >> 15).wrapping_mul(0x2c1b_3c6d);
    x = (x ^ x >> 12).wrapping_mul(0x297a_2d39);
    x ^ x >> 15
}
