//! Names the shared library's ABI in the library itself, which cargo does not do (rust-lang/cargo#5045).

#[path = "src/abi.rs"]
#[expect(unreachable_pub, reason = "it is public in the library")]
mod abi;

fn main() {
    println!("cargo:rerun-if-changed=src/abi.rs");
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        let soname = format!("-Wl,-soname,libsdi.so.{}", abi::SDI_ABI_VERSION);
        println!("cargo:rustc-cdylib-link-arg={soname}");
        // AWS-LC leaves a destructor with every thread that met an error, which must find its code.
        if std::env::var_os("CARGO_FEATURE_AWS_LC").is_some() {
            println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        }
    }
}
