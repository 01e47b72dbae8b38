//! What careless programs do. Each has to be found, or the instrument does not bite.

use crate::valgrind;
use std::hint::black_box;

pub const CASES: [&str; 4] = ["naive-pkcs7", "naive-pkcs1", "naive-compare", "naive-table"];

/// The padding of a block as many programs check it: byte by byte, up to the first wrong one.
#[inline(never)]
fn unpad_pkcs7(block: &[u8]) -> Option<usize> {
    let padding = *block.last()?;
    let start = block.len().checked_sub(usize::from(padding))?;
    block[start..].iter().all(|&byte| byte == padding).then_some(start)
}

/// Searches for the zero that ends the padding.
#[inline(never)]
fn unpad_pkcs1(block: &[u8]) -> Option<usize> {
    if block[..2] != [0, 2] {
        return None;
    }
    block[2..].iter().position(|&byte| byte == 0)
}

#[inline(never)]
fn compare(a: &[u8], b: &[u8]) -> bool {
    a.iter().zip(b).all(|(a, b)| a == b)
}

/// No branch, but an address that depends on the secret.
#[inline(never)]
fn look_up(table: &[u8; 256], secret: &[u8]) -> u8 {
    secret.iter().fold(0, |sum, &byte| sum ^ table[usize::from(byte)])
}

pub fn run(name: &str) {
    let mut block = vec![7; 16];
    block[..2].copy_from_slice(&[0, 2]);
    block[8] = 0;
    valgrind::make_undefined(&block);
    let mut table = [0; 256];
    table.fill(3);
    let result = match name {
        "naive-pkcs7" => unpad_pkcs7(&block).is_some(),
        "naive-pkcs1" => unpad_pkcs1(&block).is_some(),
        "naive-compare" => compare(&block, &[7; 16]),
        "naive-table" => look_up(black_box(&table), &block) != 0,
        other => panic!("there is no case {other}"),
    };
    let result = [result];
    valgrind::make_defined(&result);
    black_box(result);
}
