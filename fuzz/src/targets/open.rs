//! `open` and `open_in_place`, with every key of the corpus and the modules' manners.

use crate::choices::Choices;
use crate::promises::{agrees_with_detect, at_once, in_place};

/// Input: two bytes for the key ring, the file.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let Some(ring) = super::ring(&mut choices) else { return };
    let file = choices.rest();
    let verdict = at_once(file, &ring);
    assert_eq!(verdict, in_place(file, &ring), "in place");
    if file.len() <= ring.policy().limits.file {
        agrees_with_detect(file, &verdict);
    }
    if let Ok((_, summary)) = &verdict {
        assert!(summary.is_authenticated() || !ring.policy().require_authenticated);
    }
}
