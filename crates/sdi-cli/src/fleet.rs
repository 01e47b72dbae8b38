//! A whole folder of configurations, one encrypted file for each device.

pub(crate) mod csv;
pub(crate) mod jobs;
pub(crate) mod seal;
pub(crate) mod state;
