//! `sdi explain`: a page on each code of an error.

use crate::code::Code;
use crate::report::Answer;
use serde_json::json;

/// Explains the code of an error.
///
/// The last two digits of a code are the exit status. Without a code it lists them all.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  sdi explain E0004
  sdi explain")]
pub(crate) struct Args {
    /// The code, as it stands in brackets behind the word error.
    #[arg(value_parser = code)]
    code: Option<Code>,
}

fn code(text: &str) -> Result<Code, &'static str> {
    Code::parse(text).ok_or("no such code; sdi explain lists them")
}

pub(crate) fn run(args: &Args) -> Answer {
    match args.code {
        Some(code) => {
            let page = page(code);
            let text = format!("{code}, exit status {}: {page}", code.exit());
            Answer::new(text, json!({ "code": code.to_string(), "page": page }))
        }
        None => Answer::new(list(), json!({ "codes": Code::ALL.map(|code| code.to_string()) })),
    }
}

fn list() -> String {
    let lines: Vec<String> = Code::ALL
        .iter()
        .map(|code| format!("{code}  {}", page(*code).lines().next().unwrap_or_default()))
        .collect();
    lines.join("\n")
}

/// What happened in the first line, then why, then what to do.
fn page(code: Code) -> &'static str {
    PAGES.iter().find(|(of, _)| *of == code).map_or("", |(_, page)| page)
}

const PAGES: &[(Code, &str)] = &[
    (
        Code::OTHER,
        "the system refused something

A file is not there or could not be read or written, or the random source or
memory failed. The reason is the system's own. Nothing half-written is left.",
    ),
    (
        Code::USAGE,
        "the command was not understood

An option is missing, unknown or contradicts another one, or the key cannot do
what was asked. Every command has --help with examples. Nothing was done.",
    ),
    (
        Code::MALFORMED,
        "the input is damaged

A file is no key, no certificate or no encrypted file of the kind that it says
it is. An encrypted file was probably cut or changed on its way: fetch it again,
in binary mode (TFTP: octet), or have it encrypted again.",
    ),
    (
        Code::UNSUPPORTED,
        "the input uses something that is not opened here

The file is whole, but an algorithm or a kind of content is unknown; the message
names it. Encrypt again with another algorithm: sdi encrypt and openssl cms with
-aes-256-gcm or -aes-256-cbc make files that are opened.",
    ),
    (
        Code::LIMIT,
        "the input exceeds a limit

The limits keep hostile files from using up memory. The message says which one
it was and how much it allows. Nothing was cut off.",
    ),
    (
        Code::NOT_FOR_KEY,
        "the file is whole, but not for this key

It was encrypted to another device's certificate, or to one that this device had
before. The message shows whom the file is for and which key you gave. Encrypt
the configuration again to this device's certificate; compare its fingerprint
(sdi pubkey --cert) with the label of the device.

sdi inspect --match-cert ends with this status, too, after its report: the file
is not for that certificate.

With an RSA key and without --cert a damaged file can look like this, too.",
    ),
    (
        Code::DECRYPT,
        "decryption failed

The file is for this key and was changed on its way, or was made wrongly. It is
deliberately not said at which step it failed: an attacker could learn from
that. Fetch the file again, in binary mode, or have it encrypted again.",
    ),
    (
        Code::PIN,
        "the certificate holds another key than the one you pinned

It is another device's certificate, or somebody has exchanged it: what is
encrypted to it would be read by whoever holds that key. Do not encrypt to it.
Ask the vendor over a channel that you trust.",
    ),
    (
        Code::OTHER_DEVICE,
        "certificate and private key do not belong together

The certificate is another device's. sdi pubkey -k KEY --fingerprint and
sdi pubkey --cert CRT --fingerprint show the two keys.",
    ),
    (
        Code::NOT_FOUND,
        "there is none of that name

A certificate is not in the store, or a server has no such file. The message
says under which name it was looked for. A local file that is missing is E0001.",
    ),
    (
        Code::NETWORK,
        "the network or the server failed

A later attempt may work. The reason is the system's own.",
    ),
    (
        Code::PLAIN,
        "the file is not encrypted

It is a plain configuration. A device uses it as it is, unless it takes
encrypted ones only. If it should be encrypted, encrypt it: sdi encrypt.",
    ),
    (
        Code::NEITHER,
        "the file is neither encrypted nor plain

It is empty, cut short, damaged, or CMS of another kind, or its name ends in
.enc and its content is none. A device never installs such a file.",
    ),
    (
        Code::TOO_WEAK,
        "the file is not authenticated encryption

--min-profile authenticated was asked for, and the file is AES-CBC: whoever
carries it can change it. Encrypt it with --profile authenticated.",
    ),
    (
        Code::PRIVATE_KEY,
        "the file holds a private key

sdi push copies to where everybody may read, and a private key is its device's
alone: whoever has it reads every configuration that is encrypted to it. Nothing
was copied. Push the encrypted configuration instead. If a private key was on a
server before, make a new one.",
    ),
    (
        Code::NOT_SANE,
        "what was decrypted is no configuration

With an RSA key and AES-CBC a wrong key is noticed by the padding alone, and one
of 255 wrong files passes that. So the plaintext has to be text, unless the file
names the certificate that you give with --cert. Or you have asked for more with
--sanity, such as junos or an expression, and the plaintext is not that. If
other content is meant, say --sanity none.",
    ),
    (
        Code::EXISTS,
        "the output is there already

Folders of configuration servers hold live files, so nothing is replaced unless
--force says so. What is no file, such as a folder or a device, is never
replaced. Of two runs of encrypt-dir --changed-only with one state at a time the
second one is refused.",
    ),
    (
        Code::PERMISSIONS,
        "others may read or change the private key

A key file must belong to the user who runs the command, with mode 0600 or less.
The message holds the command that mends it. If others could read the key until
now, make a new one.",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_a_page() {
        assert_eq!(PAGES.len(), Code::ALL.len());
        for code in Code::ALL {
            let page = page(code);
            assert!(page.lines().count() > 2, "{code}");
            assert!(page.lines().all(|line| line.len() <= 80), "{code}");
        }
    }
}
