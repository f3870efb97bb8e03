//! Envoy's side: a `CheckRequest` becomes facts, a decision becomes a `CheckResponse`. No type of Envoy's goes further in.

pub mod answer;
pub mod body;
pub mod facts;
mod fields;
pub mod headers;
pub mod json;
pub mod metadata;
pub mod passage;
mod problem;
pub mod render;
pub mod www_authenticate;

pub use answer::CheckAnswer;
pub use facts::{Refused, facts};
pub use passage::Removals;
pub use render::{Rendering, render};
