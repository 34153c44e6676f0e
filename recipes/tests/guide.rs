//! The guide's code is the code that is compiled here.

const GUIDE: &str = include_str!("../../crates/sidereal/docs/recipes.md");
const APPLICATION: &str = include_str!("../src/lib.rs");
const PROGRAMS: [&str; 3] = [
    include_str!("../src/rama.rs"),
    include_str!("../src/ntex.rs"),
    include_str!("../src/trillium.rs"),
];

/// The guide's code of one kind.
fn blocks(fence: &str) -> Vec<&'static str> {
    let fence = format!("```{fence}\n");
    let begun = GUIDE.split(fence.as_str()).skip(1);
    begun.filter_map(|rest| rest.split("```").next()).collect()
}

#[test]
fn each_program_is_there_as_a_whole() {
    for program in PROGRAMS {
        let code = program.split_once("\n\n").map(|(_, code)| code);
        assert!(code.is_some_and(|code| blocks("rust,ignore").contains(&code)));
    }
}

#[test]
fn nothing_else_is_there() {
    for block in blocks("rust,ignore") {
        let mut compiled = PROGRAMS.into_iter().chain([APPLICATION]);
        assert!(compiled.any(|code| code.contains(block)), "{block}");
    }
    let manifest: Vec<_> = include_str!("../Cargo.toml").lines().collect();
    for line in blocks("toml").into_iter().flat_map(str::lines) {
        assert!(manifest.contains(&line), "{line}");
    }
}
