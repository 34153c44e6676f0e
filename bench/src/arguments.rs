//! Command lines: flags, and names with values.

use std::str::FromStr;

/// The words of a command line that were not taken yet.
#[derive(Debug)]
pub struct Arguments(Vec<String>);

impl Arguments {
    /// These words.
    pub fn new(words: impl IntoIterator<Item = String>) -> Self {
        Self(words.into_iter().collect())
    }

    /// Takes a word that says no more than that it is there.
    pub fn flag(&mut self, name: &str) -> bool {
        match self.0.iter().position(|word| word == name) {
            Some(at) => {
                self.0.remove(at);
                true
            }
            None => false,
        }
    }

    /// Takes a word and the value that follows it.
    ///
    /// # Errors
    ///
    /// When there is none, or it cannot be read.
    pub fn value<T: FromStr>(&mut self, name: &str) -> Result<Option<T>, String> {
        let Some(at) = self.0.iter().position(|word| word == name) else {
            return Ok(None);
        };
        let value = self.0.drain(at..self.0.len().min(at + 2)).nth(1);
        match value.as_deref().map(T::from_str) {
            Some(Ok(value)) => Ok(Some(value)),
            _ => Err(format!("{name} has no value that can be read")),
        }
    }

    /// Takes the first word that is left.
    pub fn first(&mut self) -> Option<String> {
        (!self.0.is_empty()).then(|| self.0.remove(0))
    }

    /// Nothing is left.
    ///
    /// # Errors
    ///
    /// When there is.
    pub fn end(self) -> Result<(), String> {
        match self.0.is_empty() {
            true => Ok(()),
            false => Err(format!("what is `{}`?", self.0.join(" "))),
        }
    }
}
