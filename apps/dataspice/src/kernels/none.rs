//! In place of SPK files, where the feature `kernels` is off: there are none.

use std::path::Path;

use super::KernelError;
use crate::kepler::State;

/// No file.
#[derive(Debug)]
pub(super) enum File {}

impl File {
    pub(super) fn load(_: &Path) -> Result<File, KernelError> {
        Err(KernelError::NotBuiltIn)
    }

    pub(super) fn name(&self) -> &str {
        match *self {}
    }

    pub(super) fn state(&self, _: i32, _: f64) -> Option<(i32, State)> {
        match *self {}
    }
}
