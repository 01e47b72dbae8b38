//! A tree of BER elements to damage: parse, change a node, write; lengths follow by themselves.

/// Paths to the parts of a DER file without originatorInfo.
pub(crate) mod path {
    /// EnvelopedData or AuthEnvelopedData.
    pub(crate) const ENVELOPED: &[usize] = &[1, 0];
    /// The SET OF RecipientInfo.
    pub(crate) const RECIPIENTS: &[usize] = &[1, 0, 1];
    /// The first recipient.
    pub(crate) const RECIPIENT: &[usize] = &[1, 0, 1, 0];
    /// EncryptedContentInfo.
    pub(crate) const CONTENT_INFO: &[usize] = &[1, 0, 2];
    /// The content encryption algorithm.
    pub(crate) const CONTENT_ALGORITHM: &[usize] = &[1, 0, 2, 1];
    /// The encrypted content.
    pub(crate) const CONTENT: &[usize] = &[1, 0, 2, 2];
    /// The tag of an AuthEnvelopedData without authAttrs.
    pub(crate) const MAC: &[usize] = &[1, 0, 3];
    /// AES-GCM's parameters.
    pub(crate) const GCM_PARAMETERS: &[usize] = &[1, 0, 2, 1, 1];
    /// The first recipient's originator key, a key agreement's.
    pub(crate) const ORIGINATOR_KEY: &[usize] = &[1, 0, 1, 0, 1, 0];
    /// The first recipient's key agreement algorithm, without ukm.
    pub(crate) const AGREEMENT: &[usize] = &[1, 0, 1, 0, 2];
    /// The first recipient's list of wrapped keys.
    pub(crate) const WRAPPED_KEYS: &[usize] = &[1, 0, 1, 0, 3];
    /// The first recipient's key transport algorithm.
    pub(crate) const TRANSPORT: &[usize] = &[1, 0, 1, 0, 2];
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Node {
    /// Tag and content.
    Primitive(u8, Vec<u8>),
    /// Tag and children.
    Constructed(u8, Vec<Self>),
    /// The same with an indefinite length.
    Indefinite(u8, Vec<Self>),
    /// Bytes to write as they are.
    Raw(Vec<u8>),
}

impl Node {
    /// Reads one element that fills `bytes`, in DER or with indefinite lengths.
    pub(crate) fn parse(bytes: &[u8]) -> Self {
        let (node, rest) = Self::first(bytes);
        assert!(rest.is_empty(), "{} bytes follow the element", rest.len());
        node
    }

    fn first(bytes: &[u8]) -> (Self, &[u8]) {
        let (tag, first) = (bytes[0], bytes[1]);
        assert!(tag & 0x1f != 0x1f, "this editor reads short tags");
        if first == 0x80 {
            let (mut body, mut children) = (&bytes[2..], Vec::new());
            while !body.starts_with(&[0, 0]) {
                let (child, left) = Self::first(body);
                children.push(child);
                body = left;
            }
            return (Self::Indefinite(tag, children), &body[2..]);
        }
        let octets = if first < 0x80 { 0 } else { usize::from(first & 0x7f) };
        let length = match octets {
            0 => usize::from(first),
            _ => bytes[2..2 + octets].iter().fold(0, |sum, &byte| sum << 8 | usize::from(byte)),
        };
        let (mut body, rest) = bytes[2 + octets..].split_at(length);
        if tag & 0x20 == 0 {
            return (Self::Primitive(tag, body.to_vec()), rest);
        }
        let mut children = Vec::new();
        while !body.is_empty() {
            let (child, left) = Self::first(body);
            children.push(child);
            body = left;
        }
        (Self::Constructed(tag, children), rest)
    }

    pub(crate) fn encode(&self) -> Vec<u8> {
        let joined = |children: &[Self]| children.iter().flat_map(Self::encode).collect::<Vec<_>>();
        match self {
            Self::Primitive(tag, body) => element(*tag, body),
            Self::Constructed(tag, children) => element(*tag, &joined(children)),
            Self::Indefinite(tag, children) => {
                [&[*tag, 0x80], joined(children).as_slice(), &[0, 0]].concat()
            }
            Self::Raw(bytes) => bytes.clone(),
        }
    }

    /// The node at the end of a path of child numbers.
    pub(crate) fn at(&mut self, path: &[usize]) -> &mut Self {
        path.iter().fold(self, |node, &child| &mut node.children()[child])
    }

    pub(crate) fn children(&mut self) -> &mut Vec<Self> {
        match self {
            Self::Constructed(_, children) | Self::Indefinite(_, children) => children,
            other => panic!("{other:?} has no children"),
        }
    }

    /// The content of a primitive node.
    pub(crate) fn body(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Primitive(_, body) => body,
            other => panic!("{other:?} is not primitive"),
        }
    }

    /// The paths to all nodes, depth first.
    pub(crate) fn paths(&self) -> Vec<Vec<usize>> {
        let mut all = vec![Vec::new()];
        if let Self::Constructed(_, children) | Self::Indefinite(_, children) = self {
            for (number, child) in children.iter().enumerate() {
                for path in child.paths() {
                    all.push([&[number], path.as_slice()].concat());
                }
            }
        }
        all
    }
}

/// A file with one node changed.
pub(crate) fn edited(file: &[u8], path: &[usize], change: impl FnOnce(&mut Node)) -> Vec<u8> {
    let mut tree = Node::parse(file);
    change(tree.at(path));
    tree.encode()
}

pub(crate) fn element(tag: u8, body: &[u8]) -> Vec<u8> {
    [header(tag, body.len()).as_slice(), body].concat()
}

pub(crate) fn header(tag: u8, length: usize) -> Vec<u8> {
    let bytes = length.to_be_bytes();
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => vec![tag, short],
        _ => {
            let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
            let octets = &bytes[zeros..];
            let count = u8::try_from(octets.len()).expect("a length has at most eight octets");
            [&[tag, 0x80 | count], octets].concat()
        }
    }
}

pub(crate) fn sequence(children: impl Into<Vec<Node>>) -> Node {
    Node::Constructed(0x30, children.into())
}

pub(crate) fn set(children: impl Into<Vec<Node>>) -> Node {
    Node::Constructed(0x31, children.into())
}

pub(crate) fn octets(bytes: impl Into<Vec<u8>>) -> Node {
    Node::Primitive(0x04, bytes.into())
}

pub(crate) fn null() -> Node {
    Node::Primitive(0x05, Vec::new())
}

/// A small non-negative INTEGER.
pub(crate) fn integer(value: u8) -> Node {
    assert!(value < 0x80, "one octet");
    Node::Primitive(0x02, vec![value])
}

/// An OBJECT IDENTIFIER from its dotted form.
pub(crate) fn oid(dotted: &str) -> Node {
    let arcs: Vec<u64> = dotted.split('.').map(|arc| arc.parse().expect("a number")).collect();
    let mut body = Vec::new();
    for arc in [arcs[0] * 40 + arcs[1]].iter().chain(&arcs[2..]) {
        let mut groups = vec![u8::try_from(arc & 0x7f).expect("seven bits")];
        let mut rest = arc >> 7;
        while rest != 0 {
            groups.push(u8::try_from(rest & 0x7f).expect("seven bits") | 0x80);
            rest >>= 7;
        }
        groups.reverse();
        body.extend(groups);
    }
    Node::Primitive(0x06, body)
}
