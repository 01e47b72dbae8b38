//! Envelopes of every kind, taken apart and put together differently.

use crate::choices::Choices;
use crate::promises::{agrees_with_detect, at_once, in_place, streamed};
use crate::support::der::Node;
use crate::{edits, envelopes};

/// Input: which envelope, how many changes, the changes.
pub fn run(data: &[u8]) {
    let mut choices = Choices::new(data);
    let envelope = choices.one_of(envelopes::all());
    let mut tree = Node::parse(&envelope.file);
    for _ in 0..=choices.below(4) {
        edits::change(&mut tree, &mut choices);
    }
    let file = tree.encode();
    let verdict = at_once(&file, &envelope.ring);
    assert_eq!(verdict, in_place(&file, &envelope.ring), "in place");
    assert_eq!(verdict, streamed(&file, &envelope.ring, &[1, 7, 64, 255], choices.flag()));
    agrees_with_detect(&file, &verdict);
    if let Ok((plaintext, summary)) = verdict {
        // Nobody knows the content key, so nobody can make another text of it.
        assert!(!summary.is_authenticated() || plaintext == envelope.plaintext, "a forgery");
    }
}
