//! The commands and what they are called.

use crate::commands::{
    autoinstall, cert, completions, csr, decrypt, detect, doctor, encrypt, encrypt_dir, explain,
    inspect, keygen, man, pubkey, push, verify_deploy, version,
};
use crate::console::Console;
use crate::report::Outcome;
use clap::{Parser, Subcommand};

/// Encrypts device configurations, so that only the device can read them (RFC 8886).
///
/// A vendor makes keys and certificates, an operator encrypts configurations to them, a device
/// decrypts. `-` is stdin or stdout. Nothing is overwritten without --force.
#[derive(Debug, Parser)]
#[command(name = "sdi", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) console: Console,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Keygen(keygen::Args),
    Pubkey(pubkey::Args),
    Cert(cert::Args),
    Csr(csr::Args),
    Encrypt(encrypt::Args),
    EncryptDir(encrypt_dir::Args),
    Decrypt(decrypt::Args),
    Detect(detect::Args),
    Inspect(inspect::Args),
    Push(push::Args),
    VerifyDeploy(verify_deploy::Args),
    Autoinstall(autoinstall::Args),
    Doctor(doctor::Args),
    Explain(explain::Args),
    Completions(completions::Args),
    Man(man::Args),
    Version(version::Args),
}

impl Command {
    pub(crate) fn run(&self, console: &Console) -> Outcome {
        match self {
            Self::Keygen(args) => keygen::run(args, console),
            Self::Pubkey(args) => pubkey::run(args, console),
            Self::Cert(args) => cert::run(args, console),
            Self::Csr(args) => csr::run(args, console),
            Self::Encrypt(args) => encrypt::run(args, console),
            Self::EncryptDir(args) => encrypt_dir::run(args, console),
            Self::Decrypt(args) => decrypt::run(args, console),
            Self::Detect(args) => detect::run(args, console),
            Self::Inspect(args) => inspect::run(args, console),
            Self::Push(args) => push::run(args, console),
            Self::VerifyDeploy(args) => verify_deploy::run(args, console),
            Self::Autoinstall(args) => autoinstall::run(args, console),
            Self::Doctor(args) => doctor::run(args, console),
            Self::Explain(args) => Ok(explain::run(args)),
            Self::Completions(args) => completions::run(args, console),
            Self::Man(args) => man::run(args, console),
            Self::Version(args) => Ok(version::run(args)),
        }
    }

    /// As it stands in `--json`.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Keygen(_) => "keygen",
            Self::Pubkey(_) => "pubkey",
            Self::Cert(args) => args.name(),
            Self::Csr(_) => "csr",
            Self::Encrypt(_) => "encrypt",
            Self::EncryptDir(_) => "encrypt-dir",
            Self::Decrypt(_) => "decrypt",
            Self::Detect(_) => "detect",
            Self::Inspect(_) => "inspect",
            Self::Push(_) => "push",
            Self::VerifyDeploy(_) => "verify-deploy",
            Self::Autoinstall(args) => args.name(),
            Self::Doctor(_) => "doctor",
            Self::Explain(_) => "explain",
            Self::Completions(_) => "completions",
            Self::Man(_) => "man",
            Self::Version(_) => "version",
        }
        .into()
    }
}
